"""How many bytes of text a token stands for, so that a batch of ids needs no character ranges from Rust.

Known for the two families that lose nothing: byte-level vocabularies (GPT-2, Qwen, Llama 3) and BPE over
pieces with byte fallback (Llama 2, Mistral). Whoever uses the widths checks that they add up to the text;
where they do not (a token that swallows blanks, a piece that the vocabulary lacks) that text is read with
ranges.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import tokenizers
    from numpy.typing import NDArray

BLANK = "▁"
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


@dataclass(frozen=True, slots=True)
class Widths:
    """Bytes of text by token id.

    Attributes:
        bytes: width of every id, int32; a large negative one where it is not known.
        added: True for the ids that cut the text before it is tokenised.
        blank: True for the ids that begin with a blank.
        prepends: a blank that is not in the text is put before nothing, before a text that begins with none,
            or before every stretch between added tokens.
    """

    bytes: "NDArray[np.int32]"
    added: "NDArray[np.bool_]"
    blank: "NDArray[np.bool_]"
    prepends: Literal["nowhere", "text", "stretches"]


def widths_of(
    definition: Mapping[str, Any],
    byte_level: Mapping[str, int] | None,
    added: "Mapping[int, tokenizers.AddedToken]",
) -> Widths | None:
    """The widths of a tokenizer.json; None when its text cannot be told from its tokens alone.

    Args:
        definition: tokenizer.json, with tokens that were added since.
        byte_level: character to byte of a byte-level vocabulary.
        added: the added tokens by id.
    """
    import numpy as np

    model = definition["model"]
    if (
        model.get("type") != "BPE"
        or model.get("continuing_subword_prefix")
        or model.get("end_of_word_suffix")
    ):
        return None
    prepends = _prepends(definition, byte_level is not None)
    if prepends is None or (byte_level is None and not model.get("byte_fallback")):
        return None
    vocabulary: dict[str, int] = model["vocab"]
    size = 1 + max((*vocabulary.values(), *added), default=-1)
    widths = np.full(size, -(2**30), np.int32)
    blank = np.zeros(size, np.bool_)
    for text, index in vocabulary.items():
        if byte_level is not None:
            widths[index] = len(text)
        elif _BYTE.fullmatch(text):
            widths[index] = 1
        else:
            widths[index] = len(text.replace(BLANK, " ").encode("utf-8", "surrogatepass"))
            blank[index] = text.startswith(BLANK)
    unknown = vocabulary.get(model.get("unk_token") or "")
    if unknown is not None:
        widths[unknown] = -(2**30)
    is_added = np.zeros(size, np.bool_)
    for index, token in added.items():
        widths[index] = len(token.content.encode("utf-8", "surrogatepass"))
        is_added[index], blank[index] = True, False
    return Widths(widths, is_added, blank, prepends)


def _prepends(
    definition: Mapping[str, Any], byte_level: bool
) -> Literal["nowhere", "text", "stretches"] | None:
    """Where a blank is put that the text does not have; None for rules that change the text otherwise."""
    normalizer, pieces = definition.get("normalizer"), definition.get("pre_tokenizer")
    if byte_level:
        steps = pieces.get("pretokenizers", [pieces]) if pieces else []
        kept = all(
            step["type"] == "ByteLevel"
            and not step.get("add_prefix_space")
            or step["type"] in ("Split", "Digits")
            and step.get("behavior", "Isolated") != "Removed"
            for step in steps
        )
        return "nowhere" if kept and normalizer is None else None
    replaces = {"type": "Replace", "pattern": {"String": " "}, "content": BLANK}
    steps = [{"type": "Prepend", "prepend": BLANK}, replaces]
    if pieces is None and normalizer == {"type": "Sequence", "normalizers": steps}:
        return "stretches"
    if normalizer is None and pieces is not None and pieces["type"] == "Metaspace":
        scheme = pieces.get("prepend_scheme")
        if pieces.get("replacement") == BLANK and scheme in ("first", "never"):
            return "text" if scheme == "first" else "nowhere"
    return None
