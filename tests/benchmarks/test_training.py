"""Training on chats of skewed length, against TRL's trainer as it comes: same rows, model, seed, batches."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, disable_progress_bars
from tokenizers import Tokenizer, models
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    PrinterCallback,
    TrainerCallback,
    set_seed,
)
from trl import SFTConfig, SFTTrainer

from workbench.engine.arguments import training_arguments
from workbench.engine.checkpoint_writer import CheckpointWriter
from workbench.engine.commands import Commands
from workbench.engine.meter import Meter
from workbench.engine.pacing import Pacing
from workbench.engine.packing import prepare_packing
from workbench.engine.progress import Progress
from workbench.engine.scoring import IGNORED
from workbench.engine.trainer import Row, Trainer
from workbench.project.schema import Project
from workbench.runs.events import EventTail, EventWriter
from workbench.runs.folder import Run

VOCABULARY, STEPS, BATCH = 4096, 10, 8


class Unsaved(CheckpointWriter):
    """The rival writes no checkpoint either."""

    def write(self, *args: Any) -> bool:
        return True


def skewed_chats() -> list[dict[str, list[int]]]:
    """Log-normal lengths, median 67 and mean about 100 tokens, half of them trained."""
    draw, rows = random.Random(0), []
    for _ in range(STEPS * BATCH):
        length = int(min(500, max(12, draw.lognormvariate(4.2, 0.9))))
        ids = [draw.randrange(VOCABULARY) for _ in range(length)]
        rows.append({"input_ids": ids, "labels": [IGNORED] * (length // 2) + ids[length // 2 :]})
    return rows


def fresh_model() -> LlamaForCausalLM:
    set_seed(42)
    sizes = {"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=VOCABULARY, num_key_value_heads=2, **sizes))


def tokenizer() -> PreTrainedTokenizerFast:
    empty = Tokenizer(models.BPE({"<pad>": 0}, []))
    return PreTrainedTokenizerFast(tokenizer_object=empty, pad_token="<pad>")


def train_here(
    rows: list[Row], folder: Path, steps: int = STEPS, model: LlamaForCausalLM | None = None
) -> tuple[float, list[float]]:
    """Seconds of the processor, and the loss of each step."""
    settings = {
        "max_steps": steps,
        "per_device_train_batch_size": BATCH,
        "learning_rate": 1e-3,
        "save_steps": 0,
    }
    project = Project.model_validate({"name": "speed", "training": {"method": "full", **settings}})
    run = Run(folder)
    events = EventWriter(run.events)
    model = model or fresh_model()
    assert prepare_packing(model)
    trainer = Trainer(
        project.training,
        model,
        training_arguments(project, folder, "batch"),
        tokenizer(),
        rows,
        [],
        events=events,
        commands=Commands(run, events),
        checkpoints=Unsaved(run, events, 0, folder, ""),
        progress=Progress(),
    )
    started = time.process_time()
    trainer.train()
    seconds = time.process_time() - started
    return seconds, [event["loss"] for event in EventTail(run.events).read() if event["kind"] == "step"]


def train_with_trl(rows: list[dict[str, list[int]]], folder: Path) -> tuple[float, list[float]]:
    class Losses(TrainerCallback):
        seen: list[float] = []

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            self.seen.extend([logs["loss"]] if "loss" in logs else [])

    trainer = SFTTrainer(
        model=fresh_model(),
        args=SFTConfig(
            output_dir=str(folder),
            max_steps=STEPS,
            per_device_train_batch_size=BATCH,
            learning_rate=1e-3,
            lr_scheduler_type="cosine",
            warmup_steps=0.05,
            seed=42,
            data_seed=42,
            logging_steps=1,
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer(),
        callbacks=[Losses()],
    )
    trainer.remove_callback(PrinterCallback)
    started = time.process_time()
    trainer.train()
    return time.process_time() - started, Losses.seen


@pytest.mark.benchmark
def test_twice_the_tokens_per_second_of_trl_with_the_same_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    disable_progress_bars()
    torch.set_num_threads(1)
    rows = skewed_chats()
    theirs, their_losses = train_with_trl(rows, tmp_path / "trl")
    packed: list[Row] = [{name: np.array(column) for name, column in row.items()} for row in rows]
    ours, our_losses = train_here(packed, tmp_path)
    ratio = theirs / ours
    record_property("ratio", round(ratio, 2))
    # TRL trains in bf16 by default, also on a CPU
    assert our_losses == pytest.approx(their_losses, abs=2e-3)
    assert ratio >= 2, f"only {ratio:.2f} times TRL's speed"


@pytest.mark.benchmark
def test_measures_events_and_control_take_under_a_millisecond_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    torch.set_num_threads(1)
    spent = 0.0

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal spent
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent += time.perf_counter() - started

        return call

    for owner, name in ((Meter, "add"), (Trainer, "log"), (Pacing, "on_step_end")):
        monkeypatch.setattr(owner, name, timed(getattr(owner, name)))
    (tmp_path / "control").mkdir()
    train_here(skewed_chats(), tmp_path)
    milliseconds = spent / STEPS * 1000
    record_property("milliseconds", round(milliseconds, 3))
    assert milliseconds < 1
