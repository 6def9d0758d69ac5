"""Make rows from rows, as [augmentation] in project.toml says: one row for each reply of a conversation,
other words for keywords, other ways to put a question.

Rows are made from what is trained on, never from held-out rows. They are written to data/augmented.jsonl,
each with what it is made from, and added as a source of its own that is trained on and never held out. Read
the file, change or delete rows in it: it is not written over then without --force.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.data.augment.making import Augmented, MadeRow, Questions
    from workbench.data.augment.project import Plan
    from workbench.data.example import Example
    from workbench.project.store import OpenProject

_SHOWN = 3
_LONGEST = 160
"""Characters of a message that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`augment PROJECT [--target N] [--dry] [--force] [--model MODEL] [--json]`."""
    add_project(parser)
    parser.add_argument(
        "--target",
        type=int,
        metavar="N",
        help="training rows in all, made ones included; 0 for all that one change makes",
    )
    parser.add_argument("--dry", action="store_true", help="show what would be made, write nothing")
    parser.add_argument("--force", action="store_true", help="write over a file that was edited")
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="have a model put questions in other words too: `base`, or a run for its newest checkpoint",
    )
    add_layers(parser, "augmentation.break_conversations=true")
    add_json(parser, 'print {"originals", "made", "total", "target", "file", ...}')


def run(args: argparse.Namespace) -> int:
    """Make the rows, write them, show them. Exit code 1: the target was not reached."""
    from workbench.cli.console import busy, note, write_json
    from workbench.data.augment.output import PATH, refuse_edited
    from workbench.data.augment.project import carry_out, plan

    if args.target is not None:
        args.overrides.append(f"augmentation.target={args.target}")
    project = opened(args)
    if not (args.dry or args.force):
        refuse_edited(project.folder / PATH)  # before a model works for minutes
    ask = _Model(project, args.model) if args.model else None
    with busy("making rows"):
        planned = plan(project, ask)
    if ask:
        planned.made.left_out.update(ask.refused)
    writes = bool(planned.made.rows) and not args.dry
    if writes:
        carry_out(project, planned, force=args.force)
    if args.json:
        write_json(_fields(planned, writes), indent=2)
        return _code(planned)
    _show(project, planned)
    if not writes:
        note("nothing was written")
    else:
        how = (
            "its source is in project.toml already" if planned.added else "added to project.toml as a source"
        )
        note(f"written to {planned.path}; {how}")
    return _code(planned)


def _code(planned: "Plan") -> int:
    return 1 if planned.made.missing or not planned.made.rows else 0


class _Model:
    """Puts questions in other words; started only when the questions are known.

    Attributes:
        refused: reason to the number of questions that it was of no use for.
    """

    def __init__(self, project: "OpenProject", name: str) -> None:
        """Raises WorkbenchError for a run that is not there or has no checkpoint."""
        from workbench.chat.targets import targets
        from workbench.errors import fault
        from workbench.runs.folder import find_run

        wanted = None if name == "base" else find_run(name, project.folder).id
        offered = [target for target in targets(project) if target.run == wanted]
        if not offered:
            raise fault("this run has no complete checkpoint yet", name)
        self._project, self._target = project, offered[0]
        self.refused: dict[str, int] = {}

    def __call__(self, originals: "Sequence[Example]") -> "Questions":
        return asyncio.run(self._ask(originals))

    async def _ask(self, originals: "Sequence[Example]") -> "Questions":
        from workbench.chat.client import ChatEngine, EngineDied
        from workbench.chat.rephrase import KEY, rephrase
        from workbench.errors import WorkbenchError

        engine = ChatEngine()
        try:
            await engine.start()
            await engine.load({KEY: self._target})
            done = await rephrase(engine, self._target.label, originals, self._project.settings.chat)
        except EngineDied as error:
            raise WorkbenchError(*(replace(problem, hint="") for problem in error.problems)) from None
        finally:
            await engine.close()
        self.refused = dict(done.refused)
        return done.questions


def _show(project: "OpenProject", planned: "Plan") -> None:
    from workbench.cli.console import excerpt, note, say
    from workbench.data.augment.remarks import remarks

    made = planned.made
    kinds = [(f"made by {kind}", count) for kind, count in made.kinds.items()]
    lines = [("originals trained on", made.originals), *kinds, ("in training", made.total)]
    if planned.held_out:
        lines.append(("held out, nothing made from them", planned.held_out))
    width = max(len(name) for name, _ in lines)
    for name, count in lines:
        say(f"{name:<{width}}  {count:>7,}")
    for each in _examples(made):
        say("")
        source = planned.sources[each.example.origin.source]
        say(f"{source} row {each.example.origin.row}: {'; '.join(each.by)}")
        for message in each.example.messages:
            if message.role != "system":
                say(f"  {message.role}: {excerpt(message.content, _LONGEST)}")
    if made.rows:
        say("")
    for remark in remarks(project.settings, made):
        note(remark)


def _examples(made: "Augmented") -> "list[MadeRow]":
    """One made row of each kind, of different originals where there are such."""
    chosen: list[MadeRow] = []
    for kind in made.kinds:
        of_kind = [row for row in made.rows if row.kind == kind]
        before = {row.example.origin for row in chosen}
        chosen.append(next((row for row in of_kind if row.example.origin not in before), of_kind[0]))
    return chosen[:_SHOWN]


def _fields(planned: "Plan", written: bool) -> dict[str, Any]:
    from workbench.data.augment.output import row_of

    made = planned.made
    return {
        "v": 1,
        "originals": made.originals,
        "held_out": planned.held_out,
        "made": len(made.rows),
        "kinds": made.kinds,
        "total": made.total,
        "target": made.target,
        "missing": made.missing,
        "left_out": dict(made.left_out),
        "unused": dict(made.unused),
        "file": str(planned.path),
        "written": written,
        "source": planned.table,
        "examples": [row_of(row, planned.sources[row.example.origin.source]) for row in _examples(made)],
    }
