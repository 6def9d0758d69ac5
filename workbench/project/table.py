"""What every table of `project.toml` is made of: strict fields that carry the help which the form shows."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

Count = Annotated[int, Field(le=2**31 - 1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""What numpy's and torch's generators take."""
Words = Annotated[str, Field(min_length=1)]


def setting(
    default: Any, help: str, *, unit: str = "", source: str = "", group: str = "", **bounds: Any
) -> Any:
    """A pydantic field that carries what the form needs to explain it; fields of a `group` stand together."""
    extra: JsonDict = {"unit": unit, "source": source, "group": group}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


class Table(BaseModel):
    """A TOML table: unknown keys are errors, and no value is silently converted (a text "8" is no number)."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, validate_default=True, serialize_by_alias=True
    )
