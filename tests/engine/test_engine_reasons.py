"""A run that ended says what to do."""

import errno

import torch

from workbench.engine.reasons import explain
from workbench.errors import fault
from workbench.project.schema import Project


def test_out_of_memory_names_the_settings_that_help_with_their_values() -> None:
    project = Project.model_validate({"name": "x", "training": {"per_device_train_batch_size": 8}})
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
    ):
        text = explain(error, project)
        assert "per_device_train_batch_size = 4 with gradient_accumulation_steps = 2" in text
        assert "gradient_checkpointing = true" in text and "quantization = nf4" in text
    full = Project.model_validate(
        {"name": "x", "training": {"method": "full", "gradient_checkpointing": True}}
    )
    text = explain(MemoryError(), full)
    assert "method = lora" in text and "gradient_checkpointing" not in text and "nf4" not in text


def test_other_ends_keep_their_words() -> None:
    assert explain(fault("no rows", "train.jsonl", "add some"), None) == "train.jsonl: no rows; add some"
    assert explain(OSError(errno.ENOSPC, "No space left on device"), None).startswith("the disk is full")
    assert explain(KeyError("x"), None) == "KeyError: 'x' (the traceback is in console.log)"
