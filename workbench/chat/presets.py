"""Sampling settings that belong together, each with what it is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.project.sampling import Sampling

STAY = ("max_new_tokens", "seed", "stop")
"""What no preset changes."""


@dataclass(frozen=True, slots=True)
class SamplingPreset:
    """A name, one line on what it does, and the settings that are not at their defaults."""

    name: str
    about: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> dict[str, Any]:
        """Every setting that a preset decides: what it does not name is at its default."""
        defaults = {name: info.get_default() for name, info in Sampling.model_fields.items()}
        return {name: value for name, value in defaults.items() if name not in STAY} | dict(self.values)


PRESETS = (
    SamplingPreset("greedy", "always the likeliest token: the same answer each time", {"temperature": 0.0}),
    SamplingPreset("balanced", "a little chance, no unlikely tokens", {"temperature": 0.7, "top_p": 0.9}),
    SamplingPreset(
        "creative", "much chance, wild tokens kept out by min_p", {"temperature": 1.2, "min_p": 0.05}
    ),
    SamplingPreset("FIKA", "the Unsloth notebooks' own", {"temperature": 1.5, "min_p": 0.1}),
    SamplingPreset(
        "no loops",
        "for a model that repeats itself: penalties and min_p",
        {"temperature": 0.7, "min_p": 0.05, "repetition_penalty": 1.3, "presence_penalty": 1.1},
    ),
    SamplingPreset(
        "service",
        "customer service: close to the facts, no phrase twice",
        {"temperature": 0.2, "presence_penalty": 0.7},
    ),
)
