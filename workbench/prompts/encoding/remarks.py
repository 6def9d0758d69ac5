"""What a careful reader would point out about an example: mistakes that otherwise show after training."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workbench.data.example import Message
from workbench.prompts.encoding.answers import PROBE, QUESTION, Answer, probes
from workbench.prompts.encoding.id_rows import IdRows
from workbench.prompts.encoding.writer import Written
from workbench.prompts.template import Template, TemplateFault
from workbench.prompts.tokenizer import Tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_ANSWER = "no answer: for prediction only, nothing of it is trained"
COMMON = ("the", "Yes")
"""Words that a tokenizer has with the blank before them, if it has any."""
ESCAPES = ("\\n", "\\t", "\\r")


def on_pairing(template: Template, tokenizer: Tokenizer, end_mark: str) -> Iterator[str]:
    """Where this template and this tokenizer do not suit each other, whatever the conversation."""
    if tokenizer.disputed:
        yield (
            "AutoTokenizer of transformers 5 does not follow this tokenizer.json (config: legacy = false); "
            "PreTrainedTokenizerFast gives the ids shown here"
        )
    pieces = len(tokenizer.encode(end_mark)[0])
    if pieces > 1 and end_mark.startswith("<"):
        yield f"the base model has no token for the end-of-turn mark {end_mark!r}: it takes {pieces}"
    for question, answer in probes((QUESTION, PROBE)):
        try:
            prompt = template.render([question], tokenizer.special, add_generation_prompt=True).text
            text = template.render([question, answer], tokenizer.special).text
        except TemplateFault:
            continue
        yield from _on_prompt(prompt, text, tokenizer)
        return


def _on_prompt(prompt: str, text: str, tokenizer: Tokenizer) -> Iterator[str]:
    asked = tokenizer.encode(prompt)[0]
    texts = [text.replace(PROBE.content, answer) for answer in (PROBE.content, *COMMON)]
    if text.startswith(prompt) and any(tokenizer.encode(t)[0][: len(asked)] != asked for t in texts):
        blank = "; the prompt ends with a blank that belongs to the answer's first token"
        ends = blank if prompt[-1:] in (" ", "\t") else ""
        yield f"the tokens right before an answer are not those that end chat's prompt{ends}"
    if escaped := next((escape for escape in ESCAPES if escape in text), None):
        yield f"the template writes {escaped!r} as two characters where it means one"


def on_text(messages: Sequence[Message], written: Written, tokenizer: Tokenizer) -> Iterator[str]:
    """What the template did to the conversation."""
    for message in messages:
        if message.content.strip() not in written.text:
            yield f"the {message.role} message is not in the rendered text as it stands"
        elif message.role == "assistant" and message.content not in written.text:
            yield "the template trims the blanks around an answer"
        if found := tokenizer.specials_pattern.search(message.content):
            yield f"the {message.role} message holds the special token {found[0]!r} as text"
    yield from on_lead(written.answers)
    yield from written.remarks


def on_lead(answers: Sequence[Answer]) -> Iterator[str]:
    """What the template puts into an answer before the answer's text."""
    if lead := next((answer.lead for answer in answers if answer.lead), ""):
        yield f"the template writes {lead!r} before an answer; in chat the model has to write it itself"


def on_ids(ids: Sequence[int], tokenizer: Tokenizer) -> Iterator[str]:
    """Ends of the text that stand there twice, or not at all."""
    bos, eos = tokenizer.bos_id, tokenizer.eos_id
    if bos is not None and len(ids) > 1 and ids[0] == ids[1] == bos:
        yield f"the text begins with {tokenizer.special['bos_token']} twice"
    if eos is not None and len(ids) > 1 and ids[-1] == ids[-2] == eos:
        yield f"the text ends with {tokenizer.special['eos_token']} twice"
    if tokenizer.adds_bos and (not ids or ids[0] != bos):
        yield (
            f"the base model was made to read texts that begin with {tokenizer.special['bos_token']}; "
            "this template writes none"
        )


def odd_ends(rows: IdRows, tokenizer: Tokenizer) -> "NDArray[np.int64]":
    """[N]; 0 for those of N texts of which `on_ids` says nothing, the same number where it says the same."""
    import numpy as np

    ids, start, end = np.append(rows.ids, -1), rows.first[:-1], rows.first[1:]
    bos, eos = tokenizer.bos_id, tokenizer.eos_id
    several = end - start > 1
    odd = np.zeros(len(start), np.int64)
    if bos is not None:
        odd += several & (ids[start] == bos) & (ids[np.minimum(start + 1, end)] == bos)
    if eos is not None:
        odd += 2 * (several & (ids[end - 1] == eos) & (ids[end - 2] == eos))
    if tokenizer.adds_bos:
        odd += 4 * ((start == end) | (ids[start] != bos))
    return odd


def on_inside(before: int, tokenizer: Tokenizer) -> str:
    """An answer whose first characters belong to the token before it."""
    shown = tokenizer.token(before)
    return f"an answer begins inside the token {shown!r}, which is therefore not trained"


def on_tokens(
    written: Written, ids: Sequence[int], spans: Sequence[tuple[int, int]], tokenizer: Tokenizer
) -> Iterator[str]:
    """What the tokenizer did to the text."""
    yield from on_ids(ids, tokenizer)
    starts = [start for start, _ in spans]
    for answer in written.answers:
        first = bisect_left(starts, answer.start)
        if first and spans[first - 1][1] > answer.start:
            yield on_inside(ids[first - 1], tokenizer)
            break
    unknown = tokenizer.id("unk_token")
    if unknown is not None:
        lost = ids.count(unknown) - written.text.count(tokenizer.special["unk_token"])
        if lost > 0:
            yield f"{lost} pieces of the text are unknown to the tokenizer"


def on_stop(end_mark: str, truncated: bool) -> str:
    """Why an example does not teach the model to stop."""
    if not end_mark:
        return "the template writes no end-of-turn mark after an answer: the model never learns to stop"
    if truncated:
        return f"the last answer is cut off before its end-of-turn mark {end_mark!r}"
    return f"the end-of-turn mark {end_mark!r} is not trained: the model never learns to stop"
