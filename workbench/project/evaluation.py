"""The typed `[evaluation]`: which rows, which measures, and how their answers are drawn."""

from typing import Literal

from pydantic import Field

from workbench.project.sampling import Sampling
from workbench.project.table import Count, Table, setting


class Decoding(Sampling):
    """`[evaluation.decoding]`: how answers are drawn, the same way for all that are compared."""

    temperature: float = setting(
        0.0, "0 takes the likeliest token, so that the same weights give the same answers", ge=0, le=5
    )
    max_new_tokens: Count = setting(128, "Longest answer", unit="tokens", ge=1)


class EvaluationSettings(Table):
    """`[evaluation]`: was the fine-tuning worth it?"""

    rows: Literal["auto", "validation", "test", "train"] = setting(
        "auto", "Rows that are scored; auto takes the test rows, or validation where there are none"
    )
    take: Count = setting(0, "So many of them at most, drawn by data.seed; 0 for all", unit="rows", ge=0)
    perplexity: Literal["training", "separate", "off"] = setting(
        "training",
        "Scored tokens: as they are trained; prompt and answer tokenized apart, with one BOS and "
        "one EOS; or none",
        source="separate: ppl.py of the NTU ADL course",
    )
    answers: bool = setting(True, "Let every model answer the rows")
    decoding: Decoding = Field(default_factory=Decoding)
    shortest_answer: Count = setting(
        0,
        "Fewer are an issue of an answer, found by the check `length`; 0 for no limit",
        unit="characters",
        ge=0,
    )
    longest_answer: Count = setting(
        0,
        "More are an issue of an answer, found by the check `length`; 0 for no limit",
        unit="characters",
        ge=0,
    )
    few_shot_repeats: Count = setting(
        5, "How often examples are drawn anew for the few-shot base model", unit="draws", ge=1, le=100
    )
    classifier: str = setting(
        "",
        "What labels the answers: `lexicon` (the built-in one, or a .toml file of the project), a folder or "
        "hub id of a text classification model; empty for none",
    )
    label: str = setting("", "The tag that holds a row's true label, such as `emotion`")
