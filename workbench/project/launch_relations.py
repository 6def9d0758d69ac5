"""What must hold between the settings of `[launch]`."""

import re
from collections.abc import Iterator

from workbench.project.complaints import Complaint
from workbench.project.schema import Project

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\s]+):(\d{1,5})")


def broken_in_launch(settings: Project) -> Iterator[Complaint]:
    """Every relation that valid settings break."""
    launch = settings.launch
    if launch.rendezvous:
        match = _ADDRESS.fullmatch(launch.rendezvous)
        if not match or not 0 < int(match[2]) < 65536:
            what = f"not of the form HOST:PORT: {launch.rendezvous}"
            yield Complaint(("launch", "rendezvous"), what, "such as node1:29500")
    if launch.nodes > 1 and launch.launcher == "local" and not launch.rendezvous:
        what = "several nodes need a place to meet"
        hint = "set launch.rendezvous to HOST:PORT of this machine, or launcher = slurm"
        yield Complaint(("launch", "rendezvous"), what, hint, (("launch", "nodes"),))
    if launch.processes == 0 and (launch.nodes > 1 or launch.launcher == "slurm"):
        what = "0 counts the GPUs of this machine, which says nothing about others"
        yield Complaint(
            ("launch", "processes"), what, "give their number", (("launch", "nodes"), ("launch", "launcher"))
        )
    for i, option in enumerate(launch.slurm_options):
        if not re.fullmatch(r"--?[A-Za-z][^\n\r]*", option):
            what = f"no option of sbatch: {option}"
            yield Complaint(("launch", "slurm_options", i), what, "such as --time=12:00:00")
