"""A run that ended says what to do."""

import errno

import torch

from workbench.engine.reasons import OutOfMemory, explain
from workbench.errors import fault


def test_out_of_memory_names_what_helps() -> None:
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
        MemoryError(),
    ):
        assert explain(error, "take less") == "out of memory; take less"
    told = OutOfMemory("out of memory after step 3, with 900 tokens at once")
    assert explain(told, "take less") == f"{told}; take less"


def test_other_ends_keep_their_words() -> None:
    assert explain(fault("no rows", "train.jsonl", "add some"), "") == "train.jsonl: no rows; add some"
    assert explain(OSError(errno.ENOSPC, "No space left on device"), "").startswith("the disk is full")
    assert explain(KeyError("x"), "") == "KeyError: 'x' (the traceback is in console.log)"
