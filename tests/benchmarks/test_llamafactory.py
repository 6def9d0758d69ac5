"""Training on chats of skewed length against LLaMA-Factory: same rows, model, batches, steps and rate.

Its Python is named by WORKBENCH_LLAMAFACTORY (`python -m venv V && V/bin/pip install llamafactory`, then
`V/bin/python`); without that there is nothing to compare with. What is timed on both sides is the training
alone, from the first step to the last: neither start, loading and tokenising nor saving. LLaMA-Factory trains
with the defaults of its command line: batches padded to their longest row, gradient checkpointing, fp32.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_training import BATCH, VOCABULARY, fresh_model, train_here
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaForCausalLM, PreTrainedTokenizerFast

from workbench.engine.scoring import IGNORED
from workbench.engine.trainer import Row

PYTHON = os.environ.get("WORKBENCH_LLAMAFACTORY", "")
STEPS, HELD_OUT, ROUNDS = 20, 40, 2
pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not PYTHON, reason="WORKBENCH_LLAMAFACTORY names no Python that has llamafactory"),
]

THEIRS = """
import json, sys, time
import torch
torch.set_num_threads(1)
from transformers import Trainer
spent, train = {}, Trainer.train
def timed(self, *args, **kwargs):
    clock, processor = time.perf_counter(), time.process_time()
    result = train(self, *args, **kwargs)
    spent.update(clock=time.perf_counter() - clock, processor=time.process_time() - processor)
    return result
Trainer.train = timed
from llamafactory.train.tuner import run_exp
run_exp(json.loads(sys.argv[1]))
print(json.dumps(spent))
"""


def chats(count: int, seed: int) -> list[list[int]]:
    """Log-normal lengths, median 67 and mean about 100 tokens; words as often as in a language (Zipf)."""
    draw, rows = random.Random(seed), []
    words = range(2, VOCABULARY)
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    for _ in range(count):
        rows.append(draw.choices(words, weights, k=int(min(500, max(12, draw.lognormvariate(4.2, 0.9))))))
    return rows


def as_row(ids: list[int]) -> Row:
    """The second half is trained."""
    half = len(ids) // 2
    return {"input_ids": np.array(ids), "labels": np.array([IGNORED] * half + ids[half:])}


def write_for_them(folder: Path, rows: list[list[int]]) -> None:
    """The model, a tokenizer that reads `w7 w9` as 7 and 9, and the rows as its `alpaca` format has them."""
    vocabulary = {"<pad>": 0, "<eos>": 1} | {f"w{i}": i for i in range(2, VOCABULARY)}
    reader = Tokenizer(models.WordLevel(vocabulary, unk_token="<eos>"))
    reader.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=reader, pad_token="<pad>", eos_token="<eos>").save_pretrained(
        folder / "model"
    )
    fresh_model().save_pretrained(folder / "model")
    halves = [(ids[: len(ids) // 2], ids[len(ids) // 2 :]) for ids in rows]
    texts = [[" ".join(f"w{i}" for i in half) for half in both] for both in halves]
    told = [{"instruction": asked, "input": "", "output": said} for asked, said in texts]
    (folder / "rows.json").write_text(json.dumps(told))
    (folder / "dataset_info.json").write_text('{"rows": {"file_name": "rows.json"}}')


def train_there(folder: Path) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    settings = {
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full",
        "model_name_or_path": str(folder / "model"),
        "dataset_dir": str(folder),
        "dataset": "rows",
        "template": "empty",
        "output_dir": str(folder / "out"),
        "overwrite_output_dir": True,
        "per_device_train_batch_size": BATCH,
        "gradient_accumulation_steps": 1,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 1,
        "max_steps": STEPS,
        "save_strategy": "no",
        "report_to": "none",
        "logging_steps": 1,
        "use_cpu": True,
    }
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment = os.environ | quiet | {"OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    done = subprocess.run(
        [PYTHON, "-c", THEIRS, json.dumps(settings)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    spent = json.loads(done.stdout.splitlines()[-1])
    return spent["clock"], spent["processor"]


@torch.no_grad()
def held_out_loss(model: LlamaForCausalLM) -> float:
    """Nats per trained token of rows that nobody trained on."""
    model.float().eval()
    total = count = 0.0
    for ids in chats(HELD_OUT, 1):
        row = as_row(ids)
        labels = torch.tensor(row["labels"])[None]
        trained = int((labels != IGNORED).sum())
        loss = model(input_ids=torch.tensor(row["input_ids"])[None], labels=labels).loss
        total, count = total + float(loss) * trained, count + trained
    return total / count


def test_three_times_the_tokens_per_second_of_llamafactory(tmp_path: Path, record_property: Any) -> None:
    torch.set_num_threads(1)
    rows = chats(STEPS * BATCH, 0)
    write_for_them(tmp_path, rows)
    theirs, ours = [], []
    for number in range(ROUNDS):
        theirs.append(train_there(tmp_path))
        model = fresh_model()
        (tmp_path / f"run{number}").mkdir()
        clock = time.perf_counter()
        processor, _ = train_here([as_row(ids) for ids in rows], tmp_path / f"run{number}", STEPS, model)
        ours.append((time.perf_counter() - clock, processor))
    their_clock, their_processor = map(min, zip(*theirs, strict=True))
    clock, processor = map(min, zip(*ours, strict=True))
    tokens = sum(map(len, rows))
    our_loss = held_out_loss(model)
    their_loss = held_out_loss(AutoModelForCausalLM.from_pretrained(tmp_path / "out"))
    figures = {
        "ratio": their_clock / clock,
        "ratio, processor": their_processor / processor,
        "tokens per second": tokens / clock,
        "theirs": tokens / their_clock,
        "validation loss": our_loss,
        "their validation loss": their_loss,
        "before": held_out_loss(fresh_model()),
    }
    for name, value in figures.items():
        record_property(name, round(value, 3))
    sys.stdout.write("\n" + ", ".join(f"{name} {value:,.3f}" for name, value in figures.items()) + "\n")
    assert our_loss <= their_loss + 0.01
    assert figures["ratio, processor"] >= 3, f"only {figures['ratio, processor']:.2f} times its speed"
