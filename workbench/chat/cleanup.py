"""An answer as a person is to read it, and whether a conversation has come to its end: plain rules, no model.

For the chat alone: what a model wrote stays in the transcript as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

SENTENCE_ENDS = ".!?…。！？।ฯ"
"""Thai writes no full stop: a Thai answer counts as finished where it ends in one of its letters."""
_CLOSING = "\"'”’»）)]}*_`」』 \n"
_THAI = re.compile(r"[\u0e00-\u0e7f]\Z")

_ROLES = (
    r"<\|im_start\|>(?:user|system|assistant)?|<\|start_header_id\|>\w*(?:<\|end_header_id\|>)?|<start_of_turn>\w*|"
    r"\[/?INST\]|</?SYS>|<</?SYS>>|###\s*(?:Human|User|Assistant|Instruction|Response)\s*:|"
    r"(?<!\w)(?:USER|ASSISTANT):|^[ \t]*(?:SYSTEM|Human|User|Assistant)\s*:"
)
_OWN_ROLE = re.compile(
    r"\A\s*(?:ASSISTANT|Assistant|assistant|<\|im_start\|>assistant|###\s*(?:Assistant|Response))\s*:?\s*"
    r"|\A\s*\[/INST\]\s*"
)
_LEAKED_ROLE = re.compile(_ROLES, re.MULTILINE)
_SPECIALS = re.compile(r"</?s>|<\|(?:im_end|endoftext|eot_id|end_of_text|end)\|>|<end_of_turn>|<pad>")

FAREWELLS = {
    "en": ("goodbye", "bye", "bye bye", "see you", "good night", "farewell", "take care", "have a nice day"),
    "vi": ("tạm biệt", "chào tạm biệt", "hẹn gặp lại", "chào bạn nhé", "chúc ngủ ngon", "bái bai"),
    "th": ("ลาก่อน", "บ๊ายบาย", "แล้วเจอกัน", "แล้วพบกันใหม่", "ราตรีสวัสดิ์", "โชคดีนะ"),
    "zh": ("再見", "再见", "拜拜", "掰掰", "晚安", "下次見", "下次见", "後會有期", "后会有期"),
}
"""Phrases that take leave, in the languages of the five projects; written by hand, none of them from data."""
CLOSINGS = {
    "en": (
        "no thanks",
        "no thank you",
        "that's all",
        "that is all",
        "nothing else",
        "quit",
    ),
    "vi": ("không cần nữa", "vậy là đủ rồi", "cảm ơn, vậy thôi", "hết rồi", "không còn gì nữa"),
    "th": ("ไม่มีแล้ว", "แค่นี้", "เท่านี้", "พอแล้ว", "ไม่เป็นไรแล้ว"),
    "zh": ("沒有了", "没有了", "就這樣", "就这样", "不用了", "沒事了", "没事了"),
}
"""Phrases that say that nothing more is wanted."""
_MOST_BESIDE = 24
"""So many characters may stand beside such a phrase (a name, thanks): more is a message of its own."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """An answer made ready to be read.

    Attributes:
        text: of it.
        removed: what was taken out, in the order in which it was found: names of kinds, none twice.
    """

    text: str
    removed: tuple[str, ...] = ()


def clean_answer(text: str, stops: Sequence[str] = (), blocks: Sequence[tuple[str, str]] = ()) -> Cleaned:
    """An answer without what does not belong to it.

    Cut at the first stop text and at the first mark of another turn (``USER:``, ``[INST]``,
    ``<|im_start|>``); the model's own role at the beginning, special tokens written as text, and context
    blocks that it copied out (title and text, word for word) are taken out, blanks around the rest too.

    Args:
        text: what the model wrote.
        stops: texts that end an answer.
        blocks: title and text of the context blocks that stood in the prompt.
    """
    removed = []
    if (found := min((at for stop in stops if stop and (at := text.find(stop)) >= 0), default=-1)) >= 0:
        text = text[:found]
        removed.append("stop text")
    without = _OWN_ROLE.sub("", text, count=1)
    if (mark := _LEAKED_ROLE.search(without)) is not None:
        without = without[: mark.start()]
    if without != text:
        removed.append("role")
    text = without
    for title, content in blocks:
        for leaked in (f"{title}:\n{content}", f"{title}: {content}", content):
            if leaked.strip() and leaked in text:
                text = text.replace(leaked, "")
                removed.append("context block")
    if (bare := _SPECIALS.sub("", text)) != text:
        removed.append("special token")
    return Cleaned(bare.strip(), tuple(dict.fromkeys(removed)))


def finished(text: str) -> bool:
    """Whether an answer has words and ends as a sentence does: in one of `SENTENCE_ENDS`, or in Thai.

    The chat program of the emotion project asked for . ! or ? alone.
    """
    text = text.rstrip(_CLOSING)
    return bool(text) and (text[-1] in SENTENCE_ENDS or _THAI.search(text) is not None)


def takes_leave(text: str) -> bool:
    """Whether a message takes leave, or says that nothing more is wanted.

    One of `FAREWELLS` or `CLOSINGS` as words of their own, with at most a few words beside it; a question
    never does.
    """
    plain = " ".join(text.casefold().split()).strip(" .!~。！…")
    if not plain or plain.endswith(("?", "？")):
        return False
    phrases = (phrase for table in (FAREWELLS, CLOSINGS) for group in table.values() for phrase in group)
    return any(_says(plain, phrase) for phrase in phrases)


def _says(plain: str, phrase: str) -> bool:
    at = plain.find(phrase)
    if at < 0 or len(plain) - len(phrase) > _MOST_BESIDE:
        return False
    before, after = plain[:at][-1:], plain[at + len(phrase) :][:1]
    return not _spaced(phrase) or not (before.isalnum() or after.isalnum())


def _spaced(phrase: str) -> bool:
    """The language puts blanks between words: Thai and Chinese do not."""
    return all(ord(sign) < 0x0E00 or 0x1E00 <= ord(sign) < 0x2000 for sign in phrase)
