"""Foreign files read as runs: every format, what is left out is told, and what is wrong names its line."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from event_file import event, record, simple, tensor, write_events

from workbench.errors import WorkbenchError
from workbench.runs.imports.foreign import Foreign
from workbench.runs.imports.importing import read_foreign
from workbench.runs.imports.tensorboard import masked_crc

Read = Callable[..., Foreign]

OPENAI = """\
step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy,\
validation_loss,validation_sequence_accuracy,validation_token_accuracy
1,386,2,0.159,0.0,0.684,0.111,0.0,0.657
2,1076,4,0.089,0.5,0.692,,,
3,1606,6,0.093,0.0,0.710,,,
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(content: str | bytes, name: str = "file.csv") -> Foreign:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_foreign(path, [path])

    return write_and_read


def losses(found: Foreign) -> dict[int, float]:
    return {step: figures["loss"] for step, figures in found.training.items()}


def test_openai_results_with_blank_validation_cells(read: Read) -> None:
    found = read(OPENAI)
    assert found.format == "OpenAI fine-tuning results" and found.remarks == []
    assert losses(found) == {1: 0.159, 2: 0.089, 3: 0.093}
    assert found.training[2] == {
        "elapsed_tokens": 1076,
        "elapsed_examples": 4,
        "loss": 0.089,
        "sequence_accuracy": 0.5,
        "token_accuracy": 0.692,
    }
    assert found.validation == {
        1: {"validation_loss": 0.111, "sequence_accuracy": 0, "token_accuracy": 0.657}
    }


def test_markdown_table_within_a_report(read: Read) -> None:
    text = "# Results\nIt fell.\n\n| lr | rank |\n|---|---|\n| 1 | 2 |\n\n"
    text += "| Step | Training Loss |\n|-----:|--------------:|\n| 1 | 0.646100 |\n| 2 | **0.6069** |\n"
    text += "\n| a | b | c |\n"
    found = read(text, "report.md")
    assert found.format == "markdown table" and losses(found) == {1: 0.6461, 2: 0.6069}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_step_training_loss_validation_loss(read: Read, delimiter: str) -> None:
    rows = [("Step", "Training Loss", "Validation Loss"), ("50", "1.5", "1.4"), ("100", "No log", "1.3")]
    lines = [delimiter.join(row) for row in rows]
    found = read("\ufeff" + "\r\n".join(f"|{line}|" if delimiter == "|" else line for line in lines))
    assert losses(found) == {50: 1.5}
    assert {step: each["validation_loss"] for step, each in found.validation.items()} == {50: 1.4, 100: 1.3}


def test_one_row_an_epoch(read: Read) -> None:
    found = read("Epoch,Training Loss,Validation Loss,Bleu\n1,1.5,1.4,20\n2,1.2,1.3,21\n")
    assert found.training == {1: {"epoch": 1, "loss": 1.5}, 2: {"epoch": 2, "loss": 1.2}}
    assert found.remarks == [
        "there is no step column: the rows are counted as steps",
        "not taken over: Bleu",
    ]


def test_training_and_validation_in_rows_of_their_own(read: Read) -> None:
    """As Lightning writes them; a W&B export has the run's name before the metric."""
    found = read("epoch,step,my run - train/loss,val_loss\n0,9,1.5,\n0,9,,1.4\n1,19,1.2,\n1,29,,1.3\n")
    assert losses(found) == {9: 1.5, 19: 1.2}
    assert found.validation[9] == {"validation_loss": 1.4}
    assert found.validation[29] == {"epoch": 1, "validation_loss": 1.3}


def test_steps_out_of_order_and_told_twice(read: Read) -> None:
    found = read("step,loss\n3,1\n1,3\n2,2\n2,2.5\n")
    assert losses(found) == {3: 1, 1: 3, 2: 2.5}
    assert "out of order in 1 places" in found.remarks[0] and "told twice" in found.remarks[1]


def test_nan_and_infinity_are_numbers(read: Read) -> None:
    found = losses(read("step,loss\n1,nan\n2,inf\n3,-Infinity\n"))
    assert math.isnan(found[1]) and found[2] == math.inf and found[3] == -math.inf


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"file\.csv: no table with a column for the training loss"),
        ("name,size\na,1\n", r"no table .* it begins with: name, size"),
        ("step,loss\n1,0.5\n2,0,6\n", r"file\.csv:3: 3 cells, the header has 2"),
        ("step,loss\n1,0.5\n\nx,0.6\n", r"file\.csv:4: step: 'x' is no step"),
        ("step,loss\n1,abc\n", r"file\.csv:2: loss: 'abc' is no number"),
        ("step,loss\n1.5,1\n", r"file\.csv:2: step: '1.5' is no step"),
        ("step,loss\n-1,1\n", r"file\.csv:2: step"),
        ("step,loss\n,1\n", r"file\.csv:2: figures without a step"),
        ("step,loss\n1,1_0\n", r"file\.csv:2: loss"),
        ("step,loss\n", r"holds no training loss and no validation loss"),
        ("step,loss,val_loss\n1,,\n", r"holds no training loss"),
        (
            "step,loss,training_loss\n1,1,1\n",
            r"file\.csv:1: several columns mean the same: loss, training_loss",
        ),
        (b"step,loss\n1,\xff\n", r"file\.csv:2: is neither UTF-8"),
        ("{", r"file\.csv:1: is no JSON"),
        ("[" * 100_000, r"nested too deeply|is no JSON"),
        ('{"a": 1}', r"has no log_history"),
        ("[]", r"has no log_history"),
        ('{"log_history": []}', r"its log_history is empty"),
        ('{"log_history": [3]}', r"log_history\[0\]: is no object"),
        ('{"log_history": [{"loss": 1}]}', r"log_history\[0\]: has no step"),
        ('{"log_history": [{"step": 1, "loss": "x"}]}', r"log_history\[0\]: loss: 'x' is no number"),
        ('{"log_history": [{"step": 1, "eval_bleu": 3}]}', r"holds no training loss .* eval_bleu"),
    ],
)
def test_what_is_wrong_names_its_place(read: Read, text: str | bytes, message: str) -> None:
    with pytest.raises(WorkbenchError, match=message):
        read(text)


def test_trainer_state(read: Read) -> None:
    state = {
        "best_metric": 21.5,
        "best_model_checkpoint": "out/checkpoint-20",
        "global_step": 20,
        "max_steps": 30,
        "num_train_epochs": 3,
        "log_history": [
            {"epoch": 0.5, "grad_norm": 0.4, "learning_rate": 1e-4, "loss": 2.0, "step": 10},
            {"epoch": 0.5, "eval_loss": 1.9, "eval_bleu": 20.0, "eval_runtime": 3.5, "step": 10},
            {"epoch": 1.0, "loss": math.nan, "mean_token_accuracy": 0.6, "num_tokens": 512.0, "step": 20},
            {"epoch": 1.0, "eval_bleu": 21.5, "step": 20},
            {"train_runtime": 9.0, "train_loss": 1.7, "epoch": 1.0, "step": 20},
        ],
    }
    found = read(json.dumps(state), "trainer_state.json")
    assert found.training[10] == {"epoch": 0.5, "grad_norm": 0.4, "learning_rate": 1e-4, "loss": 2.0}
    assert math.isnan(found.training[20]["loss"]) and found.training[20]["elapsed_tokens"] == 512
    assert found.validation == {10: {"epoch": 0.5, "validation_loss": 1.9, "seconds": 3.5}}
    assert found.settings["best_metric"] == 21.5 and found.settings["max_steps"] == 30
    assert found.remarks == ["not taken over: eval_bleu"]


def test_tensorboard_scalars_of_pytorch_and_tensorflow(tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "events.out.tfevents.1.host",
        event(10, simple("train/loss", 2.0), simple("train/learning_rate", 1e-4)),
        event(10, simple("train/epoch", 0.5)),
        event(10, tensor("eval/loss", 1.75), simple("eval/samples_per_second", 9)),
        event(300, simple("train/loss", 1.5)),
    )
    found = read_foreign(path, [path])
    assert found.training[10] == {"loss": 2.0, "learning_rate": pytest.approx(1e-4), "epoch": 0.5}
    assert found.validation == {10: {"validation_loss": 1.75}} and losses(found)[300] == 1.5
    assert found.times[300] == 1e9 + 300
    assert found.remarks == ["not taken over: eval/samples_per_second"]


def test_a_restart_takes_the_place_of_what_it_repeats(tmp_path: Path) -> None:
    names = [tmp_path / f"events.out.tfevents.{number}" for number in (1, 2)]
    write_events(names[0], *(event(step, simple("loss", 1.0)) for step in range(1, 9)))
    write_events(names[1], *(event(step, simple("loss", 2.0)) for step in range(5, 7)))
    assert losses(read_foreign(tmp_path, names)) == {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 2}


def test_a_file_that_is_being_written_and_one_that_is_broken(tmp_path: Path) -> None:
    path = write_events(tmp_path / "e", *(event(step, simple("loss", 1.0)) for step in range(1, 9)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    found = read_foreign(path, [path])
    assert len(found.training) == 7 and "ends within a record" in found.remarks[0]
    path.write_bytes(whole[:-7] + b"\0\0\0" + whole[-4:])
    with pytest.raises(WorkbenchError, match=r"the record at byte \d+ is broken: wrong checksum"):
        read_foreign(path, [path])
    path.write_bytes(whole + b"\1" * 40)
    with pytest.raises(WorkbenchError, match="its length has the wrong checksum"):
        read_foreign(path, [path])
    path.write_bytes(whole + record(b"\x0b\x0b"))
    with pytest.raises(WorkbenchError, match="is no event"):
        read_foreign(path, [path])


def test_checksum_is_that_of_the_standard() -> None:
    """RFC 3720 B.4: 32 bytes of zeros have CRC-32C 8a9136aa."""
    crc = 0x8A9136AA
    assert masked_crc(bytes(32)) == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
