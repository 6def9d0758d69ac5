"""generation_config.json: `[chat]` and the run's stop tokens, as transformers and vLLM read them."""

from collections.abc import Sequence
from typing import Any

from workbench.project.schema import ChatSettings
from workbench.prompts.encoding.encode import Encoder

GENERATION_CONFIG = "generation_config.json"


def generation_config(encoder: Encoder, settings: ChatSettings, more_stops: Sequence[int]) -> dict[str, Any]:
    """The file's content.

    Stop texts, presence and frequency penalty are not in it: `generate` takes the first with a tokenizer
    only, and knows neither penalty.

    Args:
        encoder: the run's.
        settings: `[chat]`.
        more_stops: ids that end an answer beside the template's.
    """
    tokenizer = encoder.tokenizer
    stops = list(dict.fromkeys([*encoder.stop_ids, *more_stops]))
    pad = tokenizer.id("pad_token")
    found: dict[str, Any] = {
        "bos_token_id": tokenizer.bos_id,
        "eos_token_id": stops[0] if len(stops) == 1 else stops or None,
        "pad_token_id": pad if pad is not None else next(iter(stops), None),
        "max_new_tokens": settings.max_new_tokens,
        "repetition_penalty": settings.repetition_penalty,
        "do_sample": settings.temperature > 0,
        "no_repeat_ngram_size": settings.no_repeat_ngram_size or None,
        "min_new_tokens": settings.min_new_tokens or None,
    }
    if settings.temperature > 0:
        found |= {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": settings.top_k,
            "min_p": settings.min_p,
            "typical_p": settings.typical_p if settings.typical_p < 1 else None,
        }
    return {name: value for name, value in found.items() if value is not None}
