"""Writes TensorBoard event files: the format once more, from its description, for tests."""

import struct
from pathlib import Path


def crc32c(data: bytes) -> int:
    """Bit by bit, after RFC 3720 B.4."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 * (crc & 1))
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def simple(tag: str, value: float) -> bytes:
    """As PyTorch writes a scalar."""
    return field(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", value)


def tensor(tag: str, value: float) -> bytes:
    """As TensorFlow 2 does: DT_DOUBLE in tensor_content, with metadata beside it."""
    content = varint(1 << 3) + varint(2) + field(2, b"") + field(4, struct.pack("<d", value))
    return field(1, tag.encode()) + field(9, field(1, b"scalars")) + field(8, content)


def event(step: int, *values: bytes, wall_time: float = 1e9) -> bytes:
    head = varint(1 << 3 | 1) + struct.pack("<d", wall_time + step) + varint(2 << 3) + varint(step)
    return head + field(5, b"".join(field(1, value) for value in values))


def write_events(path: Path, *events: bytes) -> Path:
    """The version comes first, as in every such file."""
    version = varint(1 << 3 | 1) + struct.pack("<d", 1e9) + field(3, b"brain.Event:2")
    path.write_bytes(b"".join(map(record, (version, *events))))
    return path
