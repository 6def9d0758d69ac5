"""`[launch]`: where a run's processes are started, and how many take part."""

from typing import Literal

from workbench.project.table import Count, Table, Words, setting


class LaunchSettings(Table):
    """`[launch]`: names as torchrun's and sbatch's where one exists."""

    launcher: Literal["local", "slurm"] = setting(
        "local", "Where the run is started: on this machine, or as a job that is handed to Slurm"
    )
    processes: Count = setting(
        1,
        "Processes on each node, one per GPU; effective batch = micro-batch x accumulation x processes x "
        "nodes; 0 for one per GPU of this machine",
        source="nproc_per_node of torchrun",
        ge=0,
        le=1024,
    )
    nodes: Count = setting(
        1,
        "Machines that take part; all see the run's folder at the same path",
        source="torchrun",
        ge=1,
        le=4096,
    )
    rendezvous: str = setting(
        "",
        "Several machines without Slurm: HOST:PORT of this one, as the others reach it; each of them then "
        "takes part with `workbench join`",
        source="master_addr and master_port of torchrun",
    )
    slurm_options: list[Words] = setting(
        [], "Further options of sbatch, such as --partition=gpu, --gpus-per-node=4, --time=12:00:00"
    )
    report_to: list[Literal["wandb", "tensorboard", "trackio"]] = setting(
        [],
        "Who else gets the figures of the run: wandb, tensorboard (into the run's folder), trackio; nothing "
        "is sent to anybody unless it is named here",
        source="transformers",
    )

    @property
    def world_size(self) -> int:
        """Processes in all, once `processes` is a count."""
        return self.processes * self.nodes
