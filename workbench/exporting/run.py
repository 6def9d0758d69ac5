"""The one way to an export, for screen and command line: checked here, done by a process of its own."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from workbench.errors import Problem, WorkbenchError, fault
from workbench.exporting.destination import clear, require_free
from workbench.exporting.figures import Proof
from workbench.exporting.request import ExportRequest, plan
from workbench.project import child
from workbench.runs.spawn import trainer_environment

JOB = "workbench.engine.export_job"


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export.

    Attributes:
        request: what was asked for.
        proof: what was measured; None for an adapter, or where there were no rows.
        remarks: what a person should know.
    """

    request: ExportRequest
    proof: Proof | None
    remarks: tuple[str, ...]


def run_export(
    request: ExportRequest, tell: Callable[[str], None], cancelled: Callable[[], bool] | None = None
) -> Exported:
    """Export. Blocks for as long as the models take to load, to be measured and to be written.

    Args:
        tell: told what is being done, in a person's words.
        cancelled: asked ten times a second; the process is ended when it says so, and nothing is left of it.

    Raises:
        WorkbenchError: it cannot be done; what was at its place before is untouched.
    """
    require_free(request.to, plan(request).run, request.replace)
    said: dict[str, Any] = {}

    def hear(line: str) -> None:
        with suppress(ValueError, TypeError):
            said.clear()
            said.update(json.loads(line))
            if "doing" in said:
                tell(str(said["doing"]))

    try:
        environment = trainer_environment(os.environ)
        given = request.model_dump_json().encode()
        ended = child.run(JOB, (), hear, cancelled, given=given, environment=environment)
    finally:
        clear(request.to)
    if cancelled and cancelled():
        raise fault("the export was cancelled", request.to)
    if "problems" in said:
        raise WorkbenchError(*(Problem(**each) for each in said["problems"]))
    if "done" not in said:
        hint = "the kernel ends a process that takes all memory" if ended.code < 0 else ended.complaint
        raise fault(f"the export ended with {ended.code}, and nothing was written", request.to, hint)
    proof = said["done"]["proof"]
    remarks = tuple(map(str, said["done"]["remarks"]))
    return Exported(request, None if proof is None else Proof.model_validate(proof), remarks)
