"""What an evaluation compares, and on which rows: written down before it begins, never changed after."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.chat.protocol import Target
from workbench.project.evaluation import Decoding, EvaluationSettings
from workbench.project.schema import DataSettings


class Contestant(BaseModel):
    """One line of the comparison: a model, and what stands before its prompts.

    Attributes:
        name: how it is named to a person, unlike all others of the plan.
        target: the model with its template.
        shots: examples before each prompt; 0 for none.
        repeats: how often these are drawn anew, with seeds that follow each other.
        decoding: where it differs from the plan's, as in a grid of sampling settings.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    target: Target
    shots: int = 0
    repeats: int = 1
    decoding: Decoding | None = None


class Plan(BaseModel):
    """`plan.json` of an evaluation.

    Attributes:
        id: name of the evaluation's folder.
        created: in seconds since 1970.
        kind: what the comparison is about, for its heading: models of a project, templates, base models, or
            sampling settings.
        side: rows that are scored.
        contestants: in the order of the table.
        settings: measures and decoding.
        data: which rows there are and how long one may be, as it was then.
        device: the GPU when there is one, or the processor whatever there is.
        profile, overrides: laid over project.toml.
        command: how it was asked for.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    v: Literal[1] = 1
    id: str
    created: float
    kind: Literal["models", "templates", "bases", "sampling"] = "models"
    side: Literal["train", "validation", "test"]
    contestants: list[Contestant]
    settings: EvaluationSettings
    data: DataSettings = Field(default_factory=DataSettings)
    device: Literal["auto", "cpu"] = "auto"
    profile: str | None = None
    overrides: dict[str, Any] = {}
    command: list[str] = []
