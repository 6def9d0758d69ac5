"""Sending an export to a hub: only when it is asked for, and to nobody else's eyes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import WorkbenchError, fault
from workbench.project.base_model import reads_as_hub_id


@dataclass(frozen=True, slots=True)
class Parcel:
    """What would be sent.

    Attributes:
        folder: an export.
        name: of the repository on the hub, `owner/name`.
        files: how many.
        bytes: their size.
    """

    folder: Path
    name: str
    files: int
    bytes: int

    def __str__(self) -> str:
        size = f"{self.files} files, {self.bytes / 1e6:,.1f} MB"
        return f"{size}, to the private repository {self.name} of the hub"


def parcel(folder: Path, name: str) -> Parcel:
    """What `push` would send. Raises WorkbenchError: no name of a repository."""
    require_name(name)
    files = [each for each in folder.rglob("*") if each.is_file()]
    return Parcel(folder, name, len(files), sum(each.stat().st_size for each in files))


def require_name(name: str) -> None:
    """Raises WorkbenchError: not `owner/name`."""
    if "/" not in name or not reads_as_hub_id(name):
        raise fault(f"no name of a repository: {name!r}", "--push", "it reads owner/name")


def push(parcel: Parcel, tell: Callable[[str], None]) -> str:
    """Send an export to a private repository, which is made when it is not there; returns its address.

    Args:
        tell: told what is being done.

    Raises:
        WorkbenchError: the hub refuses, is not reached, or has a public repository of that name.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        tell(f"asking the hub for {parcel.name}")
        address = str(api.create_repo(parcel.name, private=True, exist_ok=True))
        if not api.repo_info(parcel.name).private:
            hint = "make it private on its page, or name another one; nothing was sent"
            raise fault("this repository is there already, and public", parcel.name, hint)
        tell(f"sending {parcel}")
        api.upload_folder(repo_id=parcel.name, folder_path=parcel.folder)
    except WorkbenchError:
        raise
    except Exception as error:  # the hub's client raises errors of four libraries
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        hint = "`hf auth login` says who you are; the export itself is complete"
        raise fault(f"the hub did not take it: {reason}", parcel.name, hint) from error
    return address
