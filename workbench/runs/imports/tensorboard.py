"""Scalars of TensorBoard event files.

Read here and not by the `tensorboard` package, which brings grpcio, protobuf and a web server for what is a
record format of four fields and three nested messages: framing as in TensorFlow's `record_writer.cc`, fields
as in `event.proto`, `summary.proto` and `tensor.proto`. Checksums (CRC-32C) of all lengths, and of all
records that hold scalars, are verified.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from workbench.errors import fault
from workbench.runs.imports.foreign import STEP, Foreign, role

_HEADER = 12
_FLOAT, _DOUBLE = 1, 2
_TYPES = {_FLOAT: "f", _DOUBLE: "d"}


def read_tensorboard(files: list[Path]) -> Foreign:
    """The scalars of the event files of one run, in the order in which they were written.

    A file that begins before an earlier one ended, after a restart, takes the place of what it repeats.

    Raises:
        WorkbenchError: a record whose checksum is wrong, with its place in the file.
    """
    found = Foreign("TensorBoard events")
    ignored: dict[str, None] = {}
    for path in files:
        first = True
        for wall_time, step, scalars in _events(path, found.remarks):
            if first:
                found.restart_at(step)
                first = False
            figures = []
            for tag, value in scalars:
                place = role(tag)
                if place is None:
                    ignored[tag] = None
                elif place != STEP:
                    figures.append((place, value))
            if figures:
                found.add(step, figures)
                found.times[step] = wall_time
    found.ignored = list(ignored)
    return found


def is_event_file(head: bytes) -> bool:
    """Whether a file that begins so is one: its first length carries its checksum."""
    return len(head) >= _HEADER and struct.unpack_from("<I", head, 8)[0] == masked_crc(head[:8])


def _events(path: Path, remarks: list[str]) -> Iterator[tuple[float, int, list[tuple[str, float]]]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", path) from error
    offset = 0
    while offset < len(data):
        if len(data) - offset < _HEADER:
            break
        (length,) = struct.unpack_from("<Q", data, offset)
        if struct.unpack_from("<I", data, offset + 8)[0] != masked_crc(data[offset : offset + 8]):
            raise fault(f"the record at byte {offset} is broken: its length has the wrong checksum", path)
        start, end = offset + _HEADER, offset + _HEADER + length
        if end + 4 > len(data):
            break
        record = data[start:end]
        try:
            event = _event(record)
        except (ValueError, IndexError, struct.error, UnicodeDecodeError) as error:
            raise fault(f"the record at byte {offset} is no event", path) from error
        if event[2]:
            if struct.unpack_from("<I", data, end)[0] != masked_crc(record):
                raise fault(f"the record at byte {offset} is broken: wrong checksum", path)
            yield event
        offset = end + 4
    if offset < len(data):
        remarks.append(f"{path.name} ends within a record: it was being written, or was cut off")


def _event(record: bytes) -> tuple[float, int, list[tuple[str, float]]]:
    wall_time, step, scalars = 0.0, 0, []
    for field, value in _fields(record):
        if field == 1 and isinstance(value, bytes):
            (wall_time,) = struct.unpack("<d", value)
        elif field == 2 and isinstance(value, int):
            step = value
        elif field == 5 and isinstance(value, bytes):
            for number, each in _fields(value):
                if number == 1 and isinstance(each, bytes) and (scalar := _scalar(each)) is not None:
                    scalars.append(scalar)
    return wall_time, step, scalars


def _scalar(message: bytes) -> tuple[str, float] | None:
    """Tag and value: PyTorch writes `simple_value`, TensorFlow 2 a tensor of no dimensions."""
    tag, found = "", None
    for field, value in _fields(message):
        if field == 1 and isinstance(value, bytes):
            tag = value.decode()
        elif field == 2 and isinstance(value, bytes) and len(value) == 4:
            (found,) = struct.unpack("<f", value)
        elif field == 8 and isinstance(value, bytes):
            found = _tensor(value)
    return None if found is None else (tag, float(found))


def _tensor(message: bytes) -> float | None:
    kind, content = 0, b""
    for field, value in _fields(message):
        if field == 1 and isinstance(value, int):
            kind = value
        elif field in (4, 5, 6) and isinstance(value, bytes):
            content = value
    form = _TYPES.get(kind)
    if form is None or len(content) != struct.calcsize(form):
        return None
    return float(struct.unpack(f"<{form}", content)[0])


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Fields of a protobuf message: varints as int, all others as the bytes that hold them."""
    offset = 0
    while offset < len(message):
        key, offset = _varint(message, offset)
        field, wire = key >> 3, key & 7
        if wire == 0:
            number, offset = _varint(message, offset)
            yield field, number
            continue
        if wire == 2:
            size, offset = _varint(message, offset)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if offset + size > len(message):
            raise ValueError("cut off")
        yield field, message[offset : offset + size]
        offset += size


def _varint(message: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
        shift += 7
        if shift > 63:
            raise ValueError("no varint")


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC_TABLE = _table()


def masked_crc(data: bytes) -> int:
    """CRC-32C (Castagnoli), rotated and shifted as TFRecord files keep it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
