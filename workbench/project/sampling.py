"""How answers are drawn: in the chat, and for the answers of an evaluation."""

from workbench.project.table import Count, Seed, Table, Words, setting


class Sampling(Table):
    """From the model's scores to the next token, and when an answer ends."""

    temperature: float = setting(0.7, "0 always takes the likeliest token; higher is freer", ge=0, le=5)
    top_p: float = setting(
        1.0, "Draw from the likeliest tokens that together hold this share", unit="share", gt=0, le=1
    )
    top_k: Count = setting(0, "Draw from this many likeliest tokens; 0 for no limit", unit="tokens", ge=0)
    min_p: float = setting(
        0.0, "Leave out tokens less likely than this share of the likeliest", unit="share", ge=0, le=1
    )
    typical_p: float = setting(
        1.0,
        "Draw from the tokens of about the expected surprise that together hold this share",
        unit="share",
        source="locally typical sampling, arXiv 2202.00666",
        gt=0,
        le=1,
    )
    repetition_penalty: float = setting(
        1.0,
        "Above 1 divides the scores of tokens already in prompt or answer",
        source="CTRL, arXiv 1909.05858",
        gt=0,
        le=5,
    )
    presence_penalty: float = setting(
        0.0,
        "Subtracted once from the score of a token already in the answer",
        source="OpenAI API",
        ge=-2,
        le=2,
    )
    frequency_penalty: float = setting(
        0.0,
        "Subtracted from the score of a token for each time it is already in the answer",
        source="OpenAI API",
        ge=-2,
        le=2,
    )
    no_repeat_ngram_size: Count = setting(
        0,
        "No run of this many tokens comes twice, the prompt counted; 0 for no such rule",
        unit="tokens",
        source="arXiv 1705.04304; transformers",
        ge=0,
    )
    min_new_tokens: Count = setting(
        0, "Shortest answer: no stop token before it", unit="tokens", source="transformers", ge=0
    )
    max_new_tokens: Count = setting(256, "Longest answer", unit="tokens", ge=1)
    seed: Seed = setting(0, "Seed of the draw: the same seed gives the same answer")
    stop: list[Words] = setting([], "Texts that end an answer, beside the template's own stop token")
