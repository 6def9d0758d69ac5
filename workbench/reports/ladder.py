"""What evaluations found: the part of a report that says whether the fine-tuning was worth it."""

from pathlib import Path

from workbench.reports.document import Part


def ladder_parts(project_folder: Path, run: str = "") -> list[Part]:
    """The newest evaluation, or the newest that measures a checkpoint of `run`; none without one."""
    return []
