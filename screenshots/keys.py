"""Write the key list of the README from the registry of actions: `python screenshots/keys.py`."""

from itertools import groupby
from pathlib import Path

from workbench.ui.actions import ACTIONS

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- keys: made by screenshots/keys.py -->\n", "<!-- end of keys -->"
PLACES = {"app": "everywhere", "form": "in a form"}


def table() -> str:
    """One row a place, its keys in the registry's order."""
    lines = ["| where | keys |", "|---|---|"]
    for place, actions in groupby(ACTIONS, key=lambda action: action.place):
        keys = ", ".join(f"`{action.key}` {action.label.lower()}" for action in actions)
        lines.append(f"| {PLACES.get(place, place)} | {keys} |")
    return "\n".join(lines) + "\n"


def inserted(readme: str) -> str:
    """The README with the table as it is now."""
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    README.write_text(inserted(README.read_text(encoding="utf-8")), encoding="utf-8")
