"""Few-shot examples: seeded, balanced, the same for all rows, never one that tells a scored answer."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tokenizers import NAMES, byte_level, write
from test_prompts_encode import PLAIN

from workbench.data.dataset import Dataset, open_dataset
from workbench.data.digest import group_of
from workbench.data.example import Example, Message, Origin, Rejected
from workbench.errors import WorkbenchError
from workbench.project.schema import FewShot, Project
from workbench.project.store import OpenProject
from workbench.prompts.blocks import NO_BLOCKS, Blocks
from workbench.prompts.encoding.encode import make_encoder
from workbench.prompts.shots.few_shot import Deck, Shots, gives_away
from workbench.prompts.shots.few_shot_prompt import scoring_encoder, with_shots
from workbench.prompts.shots.few_shot_store import open_deck, read_shots, save_shots

DIRECTIONS = ("to_classical", "to_modern")


def rows(count: int) -> list[dict[str, str]]:
    """Three of four are to_classical."""
    return [
        {"q": f"question number {n}.", "a": f"answer {n}!", "d": DIRECTIONS[n % 4 == 0]} for n in range(count)
    ]


def project(folder: Path, records: list[dict[str, str]], **data: Any) -> OpenProject:
    (folder / "train.json").write_text(json.dumps(records), "utf-8")
    if not (folder / "base").exists():
        write(folder / "base", byte_level(), NAMES, PLAIN)
    source = {
        "kind": "fields",
        "path": "train.json",
        "user": ["{q}"],
        "assistant": "{a}",
        "tags": {"d": "{d}"},
    }
    settings = {
        "name": "p",
        "format": 1,
        "model": {"base": str(folder / "base")},
        "data": {"source": [source | data.pop("source", {})], "validation": 0.2} | data,
    }
    return OpenProject(folder, folder / "project.toml", "", Project.model_validate(settings))


def few(count: int, **settings: Any) -> FewShot:
    return FewShot.model_validate({"count": count} | settings)


def deck_of(opened: OpenProject, settings: FewShot) -> tuple[Deck, Dataset]:
    dataset = open_dataset(opened)
    return open_deck(opened, dataset, settings), dataset


def example(dataset: Dataset, row: int) -> Example:
    found = dataset.example(0, row)
    assert isinstance(found, Example)
    return found


def test_the_same_examples_for_all_rows_but_those_among_them(tmp_path: Path) -> None:
    deck, dataset = deck_of(project(tmp_path, rows(40)), few(5))
    shared = deck.draw().origins
    assert len(set(shared)) == 5
    for row in range(40):
        shots = deck.draw(example(dataset, row))
        assert Origin(0, row) not in shots.origins and len(set(shots.origins)) == 5
        if Origin(0, row) in shared:
            at = shared.index(Origin(0, row))
            assert shots.replaced == (shared[at],)
            assert shots.origins[:at] + shots.origins[at + 1 :] == shared[:at] + shared[at + 1 :]
        else:
            assert shots.origins == shared and not shots.replaced


def test_the_seed_decides(tmp_path: Path) -> None:
    opened = project(tmp_path, rows(60))
    draws = {seed: deck_of(opened, few(4, seed=seed))[0].draw().origins for seed in range(6)}
    assert len(set(draws.values())) == 6
    assert all(deck_of(opened, few(4, seed=seed))[0].draw().origins == draws[seed] for seed in draws)


def test_the_pool_is_a_side_of_the_split(tmp_path: Path) -> None:
    opened = project(tmp_path, rows(50), validation=10)
    sides = {
        pool: set(deck_of(opened, few(8, pool=pool))[0].draw().origins) for pool in ("train", "validation")
    }
    assert sides["train"].isdisjoint(sides["validation"])
    with pytest.raises(WorkbenchError, match="11 examples are asked for, 10 can be drawn from validation"):
        deck_of(opened, few(11, pool="validation"))
    with pytest.raises(WorkbenchError, match="0 can be drawn from test"):
        deck_of(opened, few(1, pool="test"))


@pytest.mark.parametrize("count", [2, 3, 6, 7])
def test_values_of_a_tag_are_drawn_equally_often(tmp_path: Path, count: int) -> None:
    deck, dataset = deck_of(project(tmp_path, rows(60)), few(count, balance="d"))

    def of(shots: Shots) -> Counter[str]:
        return Counter(dict(shot.tags)["d"] for shot in shots.examples)

    counts = of(deck.draw())
    assert abs(counts["to_classical"] - counts["to_modern"]) == count % 2
    for origin in deck.draw().origins:
        assert of(deck.draw(example(dataset, origin.row))) == counts, "who stands in is of the same value"


def test_a_value_that_runs_out_leaves_its_share_to_the_others(tmp_path: Path) -> None:
    records = [r | {"d": "rare" if n == 7 else "often"} for n, r in enumerate(rows(30))]
    deck, _ = deck_of(project(tmp_path, records, validation=0), few(5, balance="d"))
    assert Counter(dict(shot.tags)["d"] for shot in deck.draw().examples) == {"rare": 1, "often": 4}


def test_an_unknown_tag_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=r"no row has the tag 'emotion'.*tags are: d"):
        deck_of(project(tmp_path, rows(10)), few(2, balance="emotion"))
    with pytest.raises(WorkbenchError, match="no examples are asked for"):
        deck_of(project(tmp_path, rows(10)), few(0))


def test_rows_that_say_the_same_are_never_shown(tmp_path: Path) -> None:
    """Twelve ways to write one question, and a scored row that asks it too: one other row is left."""
    again = [{"q": f"Where  is{'!' * n} IT?", "a": f"here {n}", "d": "x"} for n in range(12)]
    records = [*again, {"q": "what", "a": "this", "d": "x"}, {"q": "why", "a": "so", "d": "x"}]
    deck, dataset = deck_of(project(tmp_path, records, validation=0), few(2))
    for row in range(12):
        assert {origin.row for origin in deck.draw(example(dataset, row)).origins} == {12, 13}
    with pytest.raises(WorkbenchError, match="can be drawn"):
        deck_of(project(tmp_path, records[:13], validation=0), few(2))[0].draw(example(dataset, 0))


def talk(asked: str, said: str, row: int, group: str = "") -> Example:
    return Example((Message("user", asked), Message("assistant", said)), Origin(0, row), group=group)


@pytest.mark.parametrize(
    ("shot", "scored", "tells"),
    [
        (talk("a", "b", 1), talk("c", "d", 1), True),
        (talk("Is it so?", "b", 1), talk("is it SO", "d", 2), True),
        (talk("a", "yes", 1), talk("c", "yes", 2), False),
        (talk("a", "The same answer, all of it.", 1), talk("c", "the same answer all of it", 2), True),
        (talk("a", "b", 1, "dialogue 7"), talk("c", "d", 2, "dialogue 7"), True),
        (talk("a", "b", 1, "dialogue 7"), talk("c", "d", 2, "dialogue 8"), False),
    ],
)  # fmt: skip
def test_what_gives_a_row_away(shot: Example, scored: Example, tells: bool) -> None:
    assert gives_away(shot, scored) is tells


def test_a_row_that_was_made_from_the_scored_one_gives_it_away() -> None:
    scored = talk("Where is room 2?", "Upstairs", 0)
    made = replace(talk("Please: where is room 2?", "Upstairs", 0, group_of(scored)), origin=Origin(1, 0))
    assert gives_away(made, scored) and gives_away(scored, made)


def test_appended_rows_seldom_change_a_draw(tmp_path: Path) -> None:
    """Each row draws for itself: of 100 appended to 400, about one comes among the first 4."""
    kept = 0
    for seed in range(5):
        before = deck_of(project(tmp_path, rows(400), validation=0), few(4, seed=seed))[0].draw().origins
        after = deck_of(project(tmp_path, rows(500), validation=0), few(4, seed=seed))[0].draw().origins
        kept += len(set(before) & set(after))
        assert [o for o in after if o.row < 400] == [o for o in before if o in after]
    assert kept >= 12


# The prompt


def test_turns_of_the_conversation(tmp_path: Path) -> None:
    opened = project(tmp_path, rows(12), validation=0)
    deck, dataset = deck_of(opened, few(2))
    scored = next(example(dataset, n) for n in range(12) if Origin(0, n) not in deck.draw().origins)
    written = with_shots(scored, deck.draw(scored), deck.settings, NO_BLOCKS)
    turns = [message for shot in deck.drawn for message in shot.messages]
    assert written.messages == (*turns, *scored.messages)
    encoded = scoring_encoder(make_encoder(opened)).encode(written)
    assert not isinstance(encoded, Rejected)
    marked = "".join(encoded.text[a:b] for (a, b), m in zip(encoded.spans, encoded.mask, strict=True) if m)
    assert scored.messages[1].content in marked
    assert all(shot.messages[1].content not in marked for shot in deck.drawn), "only the last answer counts"


JACK = few(
    2,
    before="以下為幾個翻譯的正確例子\n",
    shot="USER:{user} ASSISTANT:{assistant} \n",
    after="\n以下為你需要翻譯的句子，請根據前面提供的正確結果進行翻譯\n USER:",
)
CHARLES = few(
    2,
    before="以下會給你幾段文言與白話文翻譯的範例，請你學習其中規則，並翻譯。\n",
    shot="USER: {user}\nASSISTANT: {assistant}\n",
    after="USER: ",
)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            JACK,
            "以下為幾個翻譯的正確例子\nUSER:一 ASSISTANT:壹 \nUSER:{user} ASSISTANT:貳 \n"
            "\n以下為你需要翻譯的句子，請根據前面提供的正確結果進行翻譯\n USER:三",
        ),
        (
            CHARLES,
            "以下會給你幾段文言與白話文翻譯的範例，請你學習其中規則，並翻譯。\n"
            "USER: 一\nASSISTANT: 壹\nUSER: {user}\nASSISTANT: 貳\nUSER: 三",
        ),
    ],
)
def test_the_literal_forms_of_the_seed_projects(settings: FewShot, text: str) -> None:
    """Braces in a row are text."""
    shots = Shots((talk("一", "壹", 1), talk("{user}", "貳", 2)))
    written = with_shots(talk("三", "參", 3), shots, settings, NO_BLOCKS)
    assert [m.content for m in written.messages] == [text, "參"]


def test_blocks_stay_with_their_question_and_the_shared_ones_come_once() -> None:
    blocks = Blocks((("Knowledge", "open 9-5"),), question="Chat")
    shot = Example(talk("c", "d", 2).messages, Origin(0, 2), blocks=(("Topic", "shoes"),))
    system = Message("system", "Be brief.")
    scored = Example((system, *talk("a", "b", 1).messages), Origin(0, 1), blocks=(("Topic", "hats"),))
    as_turns = with_shots(scored, Shots((shot,)), few(1), blocks)
    assert [m.content for m in as_turns.messages] == [
        "Be brief.",
        "Knowledge:\nopen 9-5\n\nTopic:\nshoes\n\nChat:\nc",
        "d",
        "Topic:\nhats\n\nChat:\na",
        "b",
    ]
    form = few(1, before="Examples:\n", shot="Q {user}\nA {assistant}\n", after="Now you:\n")
    as_text = with_shots(scored, Shots((shot,)), form, blocks)
    assert [m.content for m in as_text.messages] == [
        "Be brief.",
        "Knowledge:\nopen 9-5\n\nExamples:\nQ Topic:\nshoes\n\nChat:\nc\nA d\nNow you:\n"
        "Topic:\nhats\n\nChat:\na",
        "b",
    ]


# What is stored


def test_stored_examples_hold_until_their_rows_change(tmp_path: Path) -> None:
    opened = project(tmp_path, rows(40), validation=0)
    deck, _ = deck_of(opened, few(4, balance="d"))
    file = save_shots(tmp_path, deck.settings, deck.drawn)
    said = json.loads(file.read_text())
    assert said["v"] == 1 and [r["row"] for r in said["rows"]] == [o.row for o in deck.draw().origins]
    grown = project(tmp_path, rows(4000), validation=0)
    again, dataset = deck_of(grown, few(4, balance="d"))
    assert again.draw().origins == deck.draw().origins, "appended rows change nothing"
    one = again.draw(example(dataset, deck.drawn[0].origin.row))
    assert one.replaced == (deck.drawn[0].origin,) and one.origins[1:] == deck.draw().origins[1:]
    assert deck_of(grown, few(4, seed=1))[0].draw().origins != deck.draw().origins, "another draw is another"
    changed = rows(40)
    changed[deck.drawn[2].origin.row]["a"] = "another answer"
    with pytest.raises(WorkbenchError, match=r"few_shot\.json.*have changed.*--save"):
        deck_of(project(tmp_path, changed, validation=0), few(4, balance="d"))
    with pytest.raises(WorkbenchError):
        deck_of(project(tmp_path, rows(3), validation=0), few(4, balance="d"))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_a_broken_store_names_the_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("store")
    assert read_shots(folder) is None
    (folder / "few_shot.json").write_bytes(content)
    with pytest.raises(WorkbenchError, match=r"few_shot\.json"):
        read_shots(folder)


def test_an_example_as_text_has_no_title_without_blocks_of_its_own() -> None:
    blocks = Blocks((("Knowledge", "open 9-5"),), question="Chat")
    written = with_shots(
        talk("a", "b", 1), Shots((talk("c", "d", 2),)), few(1, shot="Q {user} A {assistant}\n"), blocks
    )
    assert written.messages[0].content == "Knowledge:\nopen 9-5\n\nQ c A d\nChat:\na"
