"""A proposed mapping for reading: the table that would be written, why, and some mapped rows."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from workbench.data.example import Example
from workbench.project.paths import placed
from workbench.project.source_text import source_toml
from workbench.ui.panes.data.row_text import turns, why_left_out
from workbench.ui.text import shown

if TYPE_CHECKING:
    from workbench.data.detect.many_files import Proposed
    from workbench.data.detect.propose import Proposal

TURN_CHARACTERS = 300


def proposal_text(proposed: "Proposed", folder: Path) -> Text:
    """All of it, paths as the project in `folder` sees them; what is left out comes first."""
    text = Text()
    for left_out in proposed.left_out:
        text.append_text(shown(f"left out: {left_out}\n\n"))
    for proposal in proposed.proposals:
        text.append_text(_source(proposal, folder))
    return text


def _source(proposal: "Proposal", folder: Path) -> Text:
    text = shown(source_toml(placed(proposal.table, folder)), "bold")
    text.append_text(shown(f"\n{proposal.why}\n\n"))
    for number, (_, outcome) in enumerate(proposal.rows, 1):
        text.append(f"row {outcome.origin.row}, {number} of {len(proposal.rows)}\n", "bold underline")
        if isinstance(outcome, Example):
            text.append_text(turns(outcome, TURN_CHARACTERS))
        else:
            text.append_text(why_left_out(outcome))
    return text
