"""How an answer is written: in the script of its reference, and in letters that make words."""

import unicodedata

from workbench.evaluation.checks.answer import Answer, Expected, Finding, whole
from workbench.prompts.survey.checks.scripts import SCRIPTS, of_characters, script_of
from workbench.prompts.survey.checks.seen import percent

SCRIPT = (
    "most letters belong to another script than those of the reference, or of the question where there is "
    "no reference; or the reference has Latin letters with diacritics, a tenth of them at least, and 40 "
    "letters of the answer have none. A script is no language: English and German look alike. The figure "
    "is the share of letters in other scripts"
)
GIBBERISH = (
    "an estimate, the higher of two figures. Share of characters that mean nothing (U+FFFD, private use, "
    "control, unassigned) or belong to scripts that neither question, facts nor reference have: from a "
    "tenth on. And bits a letter by the neighbouring pairs of the references, as multiple of what 99 in "
    "100 of them stay below: over 1. It sees random letters and foreign alphabets, not words in a "
    "senseless order, and with few thousand references little in Chinese"
)
FOREIGN_SHARE = 0.1
DIACRITICS, LETTERS = 0.1, 40

_LATIN = ("Latin", "Latin with diacritics")
_ODD = ("Cc", "Co", "Cn", "Cs")


def script(answer: Answer, expected: Expected) -> list[Finding]:
    """`SCRIPT`."""
    wanted = script_of(answer.reference if answer.reference.strip() else answer.question)
    given = script_of(answer.text)
    if "none" in (wanted, given):
        return []
    if wanted != given and not (wanted in _LATIN and given in _LATIN):
        share = 1 - _shares(answer.text).get(wanted, 0.0)
        return [Finding("script", share, f"written in {given}, not in {wanted}", whole(answer))]
    shares, letters = _shares(answer.reference), of_characters(answer.text)
    if (
        shares.get("Latin with diacritics", 0.0) >= DIACRITICS
        and (letters > 0).sum() >= LETTERS
        and not (letters == SCRIPTS.index("Latin with diacritics")).any()
    ):
        return [Finding("script", 1.0, "without the diacritics of the reference", whole(answer))]
    return []


def gibberish(answer: Answer, expected: Expected) -> list[Finding]:
    """`GIBBERISH`."""
    text = answer.text.strip()
    if not text:
        return []
    found = []
    share = _meaningless(answer)
    if share >= FOREIGN_SHARE:
        what = f"{percent(share)} of the characters mean nothing or are of other scripts"
        found.append(Finding("gibberish", share, what, whole(answer)))
    model = expected.characters
    if model and (bits := model.bits(text)) > model.limit:
        what = f"{bits:.1f} bits a letter; the references have {model.limit:.1f} at most"
        found.append(Finding("gibberish", bits / model.limit, what, whole(answer)))
    return found


def _shares(text: str) -> dict[str, float]:
    """Share of each script among the letters of a text."""
    kinds = of_characters(text)
    letters = kinds[kinds > 0]
    return {SCRIPTS[kind]: float((letters == kind).mean()) for kind in set(letters.tolist())}


def _meaningless(answer: Answer) -> float:
    """Share of the characters, blanks aside, that are odd or of a script that nothing else has."""
    context = "".join((answer.question, answer.reference, *answer.facts))
    known = set(of_characters(context).tolist()) if context.strip() else set(range(len(SCRIPTS)))
    # Names and terms are written in Latin letters everywhere, and Japanese in two scripts
    known |= {SCRIPTS.index(name) for name in ("none", *_LATIN)}
    known |= {SCRIPTS.index("Han")} if SCRIPTS.index("Kana") in known else set()
    signs = "".join(answer.text.split())
    odd = sum(
        kind not in known or (unicodedata.category(sign) in _ODD or sign == "\ufffd") and sign not in context
        for sign, kind in zip(signs, of_characters(signs).tolist(), strict=True)
    )
    return odd / len(signs)
