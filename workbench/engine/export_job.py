"""`python -m workbench.engine.export_job`: one export, in a process of its own.

The request is one JSON object on stdin. On stdout come JSON lines: `{"doing": "..."}` until it ends, then
`{"done": {...}}` or `{"problems": [...]}`. Nobody left to hear them ends it, and nothing is published then.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from workbench.engine.train_job import prepare_environment

REMEDY = "end what else uses the memory; the whole base model has to fit"


def main() -> int:
    """Read the request, do it; returns the exit code."""
    say = _take_stdout()
    import transformers

    from workbench.engine.export import export
    from workbench.engine.reasons import out_of_memory
    from workbench.errors import Problem, WorkbenchError
    from workbench.exporting.request import ExportRequest

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    try:
        request = ExportRequest.model_validate_json(sys.stdin.buffer.read())
        proof, remarks = export(request, lambda doing: say({"doing": doing}))
    except WorkbenchError as error:
        problems = error.problems
    except BrokenPipeError:
        return 1
    except Exception as error:
        traceback.print_exc()
        first = str(error).strip().partition("\n")[0]
        short = out_of_memory(error)
        problems = (
            Problem("out of memory", hint=REMEDY) if short else Problem(f"{type(error).__name__}: {first}"),
        )
    else:
        figures = None if proof is None else json.loads(proof.model_dump_json())
        say({"done": {"proof": figures, "remarks": remarks}})
        return 0
    say({"problems": [{"what": each.what, "where": each.where, "hint": each.hint} for each in problems]})
    return 1


def _take_stdout() -> Callable[[dict[str, Any]], None]:
    """Keep stdout for our lines: what a library prints goes to stderr."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        ours.write(json.dumps(line) + "\n")
        ours.flush()

    return say


if __name__ == "__main__":
    prepare_environment()
    sys.exit(main())
