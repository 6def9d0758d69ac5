"""On every chat template that trl ships ids are those of transformers, or it is named here why not."""

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from test_prompts_encode import encoder_for, example

from workbench.data.example import Rejected
from workbench.prompts.encoding.answers import NOT_FOUND, REWRITTEN
from workbench.prompts.encoding.encode import FAILED

os.environ["HF_HUB_OFFLINE"] = "1"
transformers = pytest.importorskip("transformers")
_TRL = importlib.util.find_spec("trl")
_FOLDERS = (_TRL and _TRL.submodule_search_locations) or []
FILES = {file.stem: file for each in _FOLDERS for file in sorted(Path(each).glob("chat_templates/*.jinja"))}
pytestmark = pytest.mark.skipif(not FILES, reason="needs trl")

ROWS = [
    example("Hello", "Hi there."),
    example("翻譯：\n明日，趙用賢疏入。\n答案：", "第二天。", system="Be kind."),
    example("one", "a\n\nb <b>", "วันนี้ 😊 é", "Được ạ"),
]
UNFIT = {
    "idefics3": NOT_FOUND,  # the content of a message must be a list of parts
    "idefics3_training": NOT_FOUND,
    "llava_next": FAILED,
    "llava_next_training": FAILED,
    "smolvlm": NOT_FOUND,
    "smolvlm_training": NOT_FOUND,
    "deepseek_r1_distill": REWRITTEN,  # chat's prompt opens a thought that training never shows
    "deepseekv3": REWRITTEN,
    "nemotron_3_5_lightning": REWRITTEN,
    "nemotron_3_nano": REWRITTEN,
    "nemotron_3_super": REWRITTEN,
    "nemotron_3_ultra": REWRITTEN,
}
"""Templates by which not even one question with its answer can be masked, and why; others of trl's can."""


@cache
def _theirs(folder: Path) -> Any:
    return transformers.PreTrainedTokenizerFast.from_pretrained(str(folder))


@pytest.mark.parametrize("name", FILES)
def test_ids_are_those_of_transformers(folders: dict[str, Path], name: str) -> None:
    source = FILES[name].read_text(encoding="utf-8")
    encoder, theirs = encoder_for(folders["llama"], source), _theirs(folders["llama"])
    for n, row in enumerate(ROWS):
        outcome = encoder.encode(row)
        if isinstance(outcome, Rejected):
            assert n or outcome.reason == UNFIT.get(name), outcome
            assert outcome.reason and outcome.detail
            continue
        messages = [{"role": each.role, "content": each.content} for each in row.messages]
        expected = theirs.apply_chat_template(messages, chat_template=source, tokenize=True, return_dict=True)
        assert outcome.ids == expected["input_ids"]
        last = outcome.text[min(a for (a, _), on in zip(outcome.spans, outcome.mask, strict=True) if on) :]
        assert row.messages[-1].content in last, "the answer is under the mask"
