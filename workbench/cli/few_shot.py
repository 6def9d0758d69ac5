"""Draw the examples of few-shot prompts: seeded, from one side of the split, balanced by a tag if asked.

A scored row never sees itself among its examples, nor a row that says the same. With --save the draw is kept
in few_shot.json, and holds until the text of its rows changes.
"""

import argparse
from typing import TYPE_CHECKING

from workbench.cli.arguments import add_json, add_layers, add_project, opened

if TYPE_CHECKING:
    from workbench.data.example import Example

SHOWN = 400
"""Characters of a message that are shown; --json gives all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`few-shot PROJECT [--count K] [--seed S] [--balance TAG] [--pool SIDE] [--save] [--profile P]
    [--set key=value]... [--json]`."""
    add_project(parser)
    parser.add_argument("--count", type=int, metavar="K", help="how many; prompt.few_shot.count without it")
    parser.add_argument("--seed", type=int, metavar="S", help="seed of the draw")
    parser.add_argument("--balance", metavar="TAG", help="draw the values of this tag equally often")
    parser.add_argument("--pool", choices=("train", "validation", "test"), help="where they are drawn from")
    parser.add_argument("--save", action="store_true", help="keep them in few_shot.json")
    add_layers(parser, "data.seed=1")
    add_json(parser, 'print {"count", "seed", "pool", "balance", "shots": [...]}')


def run(args: argparse.Namespace) -> int:
    """Print the drawn rows with their tags and texts."""
    from workbench.cli.console import busy, note, say, write_json
    from workbench.data.dataset import open_dataset
    from workbench.project.store import open_project
    from workbench.prompts.shots.few_shot_store import open_deck, save_shots

    asked = {"count": args.count, "seed": args.seed, "balance": args.balance, "pool": args.pool}
    given = {f"prompt.few_shot.{name}": value for name, value in asked.items() if value is not None}
    laid_over = opened(args)
    project = open_project(args.project, args.profile, laid_over.overrides | given)
    settings = project.settings.prompt.few_shot
    dataset = open_dataset(project)
    try:
        with busy("drawing examples"):
            deck = open_deck(project, dataset, settings)
    finally:
        dataset.close()
    if args.json:
        head = settings.model_dump(include=set(asked))
        write_json(head | {"stored": deck.stored, "shots": [_plain(shot) for shot in deck.drawn]})
    else:
        for shot in deck.drawn:
            say(_written(shot))
        balanced = f", balanced by {settings.balance}" if settings.balance else ""
        said = " (as stored in few_shot.json)" if deck.stored else ""
        note(f"{settings.count} from {settings.pool}, seed {settings.seed}{balanced}{said}")
    if args.save:
        note(f"kept in {save_shots(project.folder, settings, deck.drawn)}")
        own = laid_over.settings.prompt.few_shot
        if any(getattr(own, name) != getattr(settings, name) for name in asked):
            note("[prompt.few_shot] of project.toml asks for another draw: this one waits until it agrees")
    return 0


def _plain(shot: "Example") -> dict[str, object]:
    messages = [{"role": message.role, "content": message.content} for message in shot.messages]
    place = {"source": shot.origin.source, "row": shot.origin.row}
    return place | {"tags": dict(shot.tags), "messages": messages}


def _written(shot: "Example") -> str:
    tags = "".join(f"  {name}={value}" for name, value in shot.tags)
    lines = [f"source {shot.origin.source} row {shot.origin.row}{tags}"]
    for message in shot.messages:
        more = len(message.content) - SHOWN
        text = message.content[:SHOWN] + (f"… {more} more characters" if more > 0 else "")
        lines.append(f"  {message.role}: " + text.replace("\n", "\n    "))
    return "\n".join(lines)
