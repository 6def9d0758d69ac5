"""One row written in several ways: the project's own, its variants, and those that are broken."""

from pathlib import Path
from typing import Any

from test_prompts_project import folder, project  # noqa: F401  (folder is a fixture)

from workbench.prompts.preview import preview, preview_variants
from workbench.prompts.variants import Variant, make, make_all, variants


def shown(opened: Any, row: int = 0) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in preview_variants(opened, row)["variants"]}


def test_the_projects_own_comes_first(folder: Path) -> None:  # noqa: F811
    others = [
        {"name": "mail", "template": "alpaca"},
        {"name": "terse", "template": "base", "system": "Short."},
    ]
    opened = project(folder, prompt={"variant": others})
    assert variants(opened) == [
        Variant("base", "base", own=True),
        Variant("mail", "alpaca"),
        Variant("terse", "base", "Short."),
    ]
    for row in (0, 3):
        written = shown(opened, row)
        plain = preview(opened, row)
        assert written["base"]["ids"] == plain["ids"] and written["base"]["mask"] == plain["mask"]
        assert written["base"]["own"] and not written["mail"]["own"]
        assert "### Instruction" in written["mail"]["text"] and written["mail"]["supervised"] > 0
        assert "Short." in written["terse"]["text"] and "Short." not in plain["text"]


def test_one_that_says_the_same_lends_its_name(folder: Path) -> None:  # noqa: F811
    others = [{"name": "house", "template": "base"}, {"name": "mail", "template": "alpaca"}]
    made = variants(project(folder, prompt={"variant": others}))
    assert made == [Variant("house", "base", own=True), Variant("mail", "alpaca")]


def test_a_broken_one_stands_beside_the_others(folder: Path) -> None:  # noqa: F811
    (folder / "broken.jinja").write_text("{% for %}")
    (folder / "refuses.jinja").write_text("{{ raise_exception('not today') }}")
    others = [
        {"name": "broken", "template": "broken.jinja"},
        {"name": "gone", "template": "gone.jinja"},
        {"name": "refuses", "template": "refuses.jinja"},
    ]
    written = shown(project(folder, prompt={"variant": others}))
    assert "broken.jinja:1" in written["broken"]["error"] and "text" not in written["broken"]
    assert "gone.jinja" in written["gone"]["error"]
    assert "not today" in written["refuses"]["error"]
    assert not written["base"]["error"] and written["base"]["text"]


def test_any_template_can_be_held_against_it(folder: Path) -> None:  # noqa: F811
    opened = project(folder)
    made = make_all(opened, [*variants(opened), Variant("chatml", "chatml")])
    assert [each.variant.own for each in made] == [True, False]
    assert made[1].encoder is not None and made[1].encoder.end_mark == "<|im_end|>"
    assert make(opened, Variant("x", "no-such")).error
