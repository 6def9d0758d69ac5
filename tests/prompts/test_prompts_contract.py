"""The contract: what stands between a conversation and its ids, and who says what differs."""

from pathlib import Path
from typing import Any

import pytest
from test_prompts_project import folder, project  # noqa: F401  (folder is a fixture)

from workbench.prompts.contract import Contract, contract_of, tokenizer_fingerprint
from workbench.prompts.fingerprint import fingerprints

KNOWLEDGE = [{"title": "Knowledge", "text": "Open 9-5."}]


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ({}, []),
        ({"template": "chatml"}, ["chat template"]),
        ({"special_tokens": ["[EMOTION]"]}, ["special tokens"]),
        ({"system": "Be brief."}, ["system message"]),
        ({"block": KNOWLEDGE}, ["context blocks"]),
        ({"question": "Chat"}, ["context blocks"]),
        ({"template": "chatml", "system": "x"}, ["chat template", "system message"]),
        ({"variant": [{"name": "x", "template": "chatml"}], "few_shot": {"count": 3}}, []),
    ],
)
def test_what_differs_is_named(folder: Path, prompt: dict[str, Any], named: list[str]) -> None:  # noqa: F811
    before, now = contract_of(project(folder)), contract_of(project(folder, prompt=prompt))
    assert before.differences(now) == named == now.differences(before)
    assert (before.fingerprint == now.fingerprint) is not named


def test_the_separator_counts_where_it_is_written(folder: Path) -> None:  # noqa: F811
    def at(template: str, separator: str) -> Contract:
        return contract_of(project(folder, prompt={"template": template, "separator": separator}))

    assert at("plain", " ->").differences(at("plain", "\n\n")) == ["chat template"]
    assert not at("base", " ->").differences(at("base", "\n\n"))


def test_a_changed_file_of_a_block_is_another_contract(folder: Path) -> None:  # noqa: F811
    opened = project(folder, prompt={"block": [{"title": "K", "file": "k.txt"}]})
    (folder / "k.txt").write_text("one")
    before = contract_of(opened)
    (folder / "k.txt").write_text("two")
    assert before.differences(contract_of(opened)) == ["context blocks"]


def test_a_changed_tokenizer(folder: Path) -> None:  # noqa: F811
    opened = project(folder)
    before = contract_of(opened)
    assert before.tokenizer == fingerprints(opened)["tokenizer"] == tokenizer_fingerprint(folder / "base")
    config = folder / "base" / "tokenizer_config.json"
    config.write_text(config.read_text().replace("{", '{"x": 1, ', 1))
    now = contract_of(opened)
    assert before.differences(now) == ["tokenizer"]
    unknown = Contract(before.template, "", block_form=before.block_form)
    assert not unknown.differences(before), "an old run that does not know it complains of nothing"
