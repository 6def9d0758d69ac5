"""Surveying with progress on stderr, for the commands that look at all rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.data.files.rows import Progress
    from workbench.project.store import OpenProject
    from workbench.prompts.survey.survey import Survey


def surveyed(project: "OpenProject", exact: bool = False) -> "Survey":
    """The survey of `project`; a person sees how far it is. Raises as the survey."""
    from workbench.prompts.survey.survey import survey

    with shares(f"looking at the rows of {project.name}") as progress:
        return survey(project, progress, exact=exact)


@contextmanager
def shares(doing: str) -> "Iterator[Progress]":
    """A sign on stderr with the share that is done, for a person only; it leaves no trace."""
    from rich.status import Status
    from rich.text import Text

    from workbench.cli.console import busy
    from workbench.ui.text import clean_lines

    with busy(doing) as sign:

        def tell(done: float) -> None:
            if isinstance(sign, Status):
                sign.update(Text(clean_lines(f"{doing}: {done:.0%}")))

        yield tell
