"""Generated tokens to text, piece by piece, so that the pieces never have to be taken back."""

from collections.abc import Sequence

from workbench.prompts.tokenizer import Tokenizer

CONTEXT_TOKENS = 6
BROKEN = "\ufffd"
MOST_PENDING = 8
"""Tokens that may wait for a character to become whole: it has four bytes at most, so more of them are none."""


class TextStream:
    """The text of one answer while it is written.

    A character whose bytes come in several tokens is held back until it is whole, and so is anything that may
    become a stop text; bytes that make no character are shown as U+FFFD after a few tokens. Special tokens have no text. One blank at the very start is left out: it belongs to
    the template (Llama 2 and Mistral write one before an answer), which writes it again with the next turn.

    Args:
        tokenizer: of the model.
        prompt: the prompt's ids; decoders treat the first token of a text otherwise, so its end goes along.
        stops: texts that end the answer; none of them empty; they are not part of it.
    """

    def __init__(self, tokenizer: Tokenizer, prompt: Sequence[int], stops: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._stops = list(stops)
        self._window, self._known = self._ending(prompt)
        self._read = len(self._window)
        self._held = ""
        self._begun = False
        self.stopped = False

    def add(self, token: int) -> str:
        """Take a token in; returns the text that is certain now. `stopped` tells that a stop text was met."""
        if token in self._tokenizer.special_ids:
            return ""
        self._window.append(token)
        text = self._tokenizer.decode(self._window, skip_special=True)
        waits = len(self._window) - self._read <= MOST_PENDING
        if waits and (text.endswith(BROKEN) or len(text) <= len(self._known)):
            return ""
        new = text[len(self._known) :]
        # What follows is decoded after this piece alone: a token costs the same in a long answer
        self._window = self._window[self._read :]
        self._read = len(self._window)
        self._known = self._tokenizer.decode(self._window, skip_special=True)
        return self._certain(new)

    def end(self) -> str:
        """What was held back and is text after all; half a character is left out."""
        text = self._tokenizer.decode(self._window, skip_special=True)[len(self._known) :].rstrip(BROKEN)
        piece = self._certain(text)
        if not self.stopped:
            piece, self._held = piece + self._held, ""
        return piece

    def _ending(self, prompt: Sequence[int]) -> tuple[list[int], str]:
        """The least end of the prompt that has a text of whole characters, and that text."""
        for length in range(1, CONTEXT_TOKENS + 1):
            ids = list(prompt[-length:])
            text = self._tokenizer.decode(ids, skip_special=True)
            if text and BROKEN not in text:
                return ids, text
        return [], ""

    def _certain(self, new: str) -> str:
        if new and not self._begun:
            self._begun = True
            new = new.removeprefix(" ")
        self._held += new
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            piece, self._held = self._held[: min(found)], ""
            return piece
        kept = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - kept
        piece, self._held = self._held[:cut], self._held[cut:]
        return piece


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` with which `stop` begins."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
