"""Whether an evaluation fits beside what else is going on, told before it begins."""

from workbench.chat.protocol import Target
from workbench.errors import WorkbenchError, fault
from workbench.evaluation.plan import Plan
from workbench.machine.capacity import capacity
from workbench.machine.host import host_memory
from workbench.project.base_model import locate
from workbench.project.model_size import count_parameters
from workbench.project.store import OpenProject
from workbench.runs.folder import list_runs
from workbench.runs.lock import is_held

BYTES = {"none": 2.0, "int8": 1.1, "nf4": 0.6}
"""A parameter on a GPU, with what quantization keeps beside it: constants, and the layers that stay whole."""
HOST_BYTES = 4.0
"""A processor computes in fp32."""
BESIDE = 1 << 30
"""What a forward pass and the libraries take beside the weights, roughly."""


def require_room(project: OpenProject, plan: Plan) -> None:
    """Raise a WorkbenchError, with figures, when the largest model does not fit the GPU's free memory."""
    if plan.device == "cpu":
        return
    here = capacity()
    needed, target = _largest(plan, on_host=here.device == "host")
    if here.device == "host" or needed <= here.free:
        return
    raise fault(
        f"{here.free / 1e9:.1f} of {here.total / 1e9:.1f} GB of the GPU are free, {target.label} takes about "
        f"{needed / 1e9:.1f}{_while(project)}",
        "evaluation",
        "wait, or evaluate on the processor: --cpu",
    )


def remarks(project: OpenProject, plan: Plan) -> list[str]:
    """What should be known of memory and company, of an evaluation that begins."""
    said = []
    if going := _while(project):
        said.append(f"the machine is shared{going}: both are slower")
    if plan.device == "cpu" or capacity().device == "host":
        free, (needed, target) = host_memory().free, _largest(plan, on_host=True)
        if free and needed > free:
            said.append(
                f"{free / 1e9:.1f} GB of memory are free, {target.label} takes about {needed / 1e9:.1f}: "
                "it may be ended by the system"
            )
    return said


def _largest(plan: Plan, *, on_host: bool) -> tuple[float, Target]:
    """Bytes of the contestant that takes most, as far as its size is known."""
    sizes = []
    for target in (contestant.target for contestant in plan.contestants):
        try:
            folder = locate(target.base, target.project_folder, weights=False).folder
        except WorkbenchError:  # it is fetched, or missed, when its turn comes
            continue
        each = HOST_BYTES if on_host and target.quantization == "none" else BYTES[target.quantization]
        sizes.append(((count_parameters(folder) or 0) * each + BESIDE, target))
    return max(sizes, key=lambda size: size[0], default=(0.0, plan.contestants[0].target))


def _while(project: OpenProject) -> str:
    going = [run.id for run in list_runs(project.folder) if is_held(run)]
    return f" while {going[0]} trains" if going else ""
