"""How near an exported model comes to the model as it was trained: `merge.json`, and a table for people."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

MERGE_FILE = "merge.json"

DEFINITIONS = {
    "reference": "the base model as the run trained on it, quantized or not, with the live adapter on it",
    "perplexity": "exp of the mean negative log-likelihood a token, over the trained tokens of the rows",
    "kl": "mean Kullback-Leibler divergence a token, in nats, from the reference's next-token distribution",
    "agreement": "share of those tokens for which both models hold the same token for the likeliest",
    "logit_difference": "largest absolute difference of two logits",
    "same_answers": "greedy answers of up to 32 tokens that are the same, token for token",
}

NAMES = {
    "original": "merged into the original base",
    "dequantised": "merged into the dequantised base",
    "whole": "the trained weights",
    "gguf": "the GGUF file",
}
"""Way to words."""


class Figures(BaseModel):
    """One model held against the reference; `DEFINITIONS` says what each number is.

    Attributes:
        way: `original`, `dequantised`, `whole`, or `gguf` for the file made of the written one of them.
        same_answers: of `answers`.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    way: str
    perplexity: float
    kl: float
    agreement: float
    logit_difference: float
    same_answers: int
    answers: int


class Proof(BaseModel):
    """All that was measured.

    Attributes:
        rows: how many.
        side: `validation`, or `training` where nothing is held out.
        tokens: trained tokens in them.
        arithmetic: in which all of the models computed.
        dtype: of the written weights.
        perplexity: of the reference.
        measured: each way.
        recommended: the way with the lowest `kl`.
        written: the way that the export holds.
    """

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    v: Literal[1] = 1
    definitions: dict[str, str] = DEFINITIONS
    rows: int
    side: str
    tokens: int
    arithmetic: str
    dtype: str
    perplexity: float
    measured: tuple[Figures, ...]
    recommended: str
    written: str

    def table(self) -> list[str]:
        """Lines of Markdown."""
        return [
            "| | perplexity | KL a token | same likeliest token | largest logit difference | same answers |",
            "|---|---|---|---|---|---|",
            f"| as it was trained | {self.perplexity:.4f} | | | | |",
            *(self._line(each) for each in self.measured),
            "",
            f"On {self.tokens:,} tokens of {self.rows} {self.side} rows; weights rounded to {self.dtype}, "
            f"arithmetic in {self.arithmetic}. Written: {NAMES[self.written]}.",
        ]

    def sentence(self, way: str) -> str:
        """One way against the reference, in a line."""
        each = next(each for each in self.measured if each.way == way)
        return (
            f"{NAMES[way]}: perplexity {each.perplexity:.4f} (as trained {self.perplexity:.4f}), "
            f"KL {each.kl:.1e}, same likeliest token {each.agreement:.2%}, "
            f"{each.same_answers} of {each.answers} greedy answers the same"
        )

    def _line(self, each: Figures) -> str:
        best = " (recommended)" if each.way == self.recommended and len(self.measured) > 1 else ""
        return (
            f"| {NAMES[each.way]}{best} | {each.perplexity:.4f} | {each.kl:.2e} | {each.agreement:.2%} | "
            f"{each.logit_difference:.3g} | {each.same_answers} of {each.answers} |"
        )


def recommended(measured: list[Figures]) -> str:
    """The way that comes closest to the reference."""
    return min(measured, key=lambda each: each.kl if each.kl == each.kl else float("inf")).way
