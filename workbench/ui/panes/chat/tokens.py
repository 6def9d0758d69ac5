"""An answer token by token: how likely each was, what else might have stood there, where it went wrong."""

import math
from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from workbench.chat.conversation import Answer
from workbench.chat.protocol import TokenDetail
from workbench.ui.actions import bindings
from workbench.ui.panes.chat.view import ChatView
from workbench.ui.text import shown
from workbench.ui.widgets.bars import bar
from workbench.ui.widgets.likelihood import LEVELS, LikelihoodView
from workbench.ui.widgets.token_flow import visible

BAR_CELLS = 20
TOKEN_CELLS = 16


class TokensView(ChatView):
    """The tokens above, the one under the cursor and its alternatives below."""

    NAME = "tokens"
    BINDINGS = bindings("chat.tokens")

    def compose(self) -> ComposeResult:
        """Figures of the answer, tokens, figures of one."""
        yield Static(id="answer-figures")
        yield LikelihoodView(id="likelihood")
        yield Static(id="token")

    def on_mount(self) -> None:
        """Nothing is looked at yet."""
        self._unlikely: list[int] = []
        self._at = -1

    def came_into_view(self) -> None:
        """Keys go to the tokens."""
        self.query_one(LikelihoodView).focus()

    def look_at(self, answer: Answer) -> None:
        """Show this answer, the cursor on its first token."""
        details = answer.details
        self._unlikely = sorted(range(len(details)), key=lambda index: details[index].probability)
        self._at = -1
        self.query_one("#answer-figures", Static).update(_summary(answer, details))
        view = self.query_one(LikelihoodView)
        view.show(details)
        view.move_to(0)

    @on(LikelihoodView.Moved)
    def _moved(self, event: LikelihoodView.Moved) -> None:
        event.stop()
        details = self.query_one(LikelihoodView).details
        self.query_one("#token", Static).update(_one(details[event.index], event.index, len(details)))

    # Actions

    def why_not(self, name: str) -> str | None:
        """Going back in the order of likelihood needs a step forward."""
        if name == "likelier" and self._at <= 0:
            return "this is the least likely token: n goes on to the next"
        if name == "unlikely" and self._at + 1 == len(self._unlikely):
            return "all tokens have been visited"
        return None

    def do_unlikely(self) -> None:
        """The least likely token, then the next one."""
        self._go(1)

    def do_likelier(self) -> None:
        """Back to the one before."""
        self._go(-1)

    def _go(self, by: int) -> None:
        self._at += by
        self.query_one(LikelihoodView).move_to(self._unlikely[self._at])
        self.workbench.refresh_keys()


def _summary(answer: Answer, details: Sequence[TokenDetail]) -> Text:
    """Perplexity is that of the model's own distribution, whatever the settings made of it."""
    losses = [-math.log(detail.probability) for detail in details if detail.probability > 0]
    perplexity = math.exp(sum(losses) / len(losses)) if len(losses) == len(details) else math.inf
    least = min(range(len(details)), key=lambda index: details[index].probability)
    cut = "" if len(details) == answer.result["tokens"] else f" of {answer.result['tokens']}"
    text = Text.assemble(
        shown(str(answer.target.get("label", "")), "bold"),
        f"   {len(details)}{cut} tokens, perplexity {perplexity:.2f}, least likely: ",
        shown(visible(details[least].text), "bold"),
        f" {percent(details[least].probability)} at {least + 1}\n",
        ("tenths of probability below each token: ", "dim"),
    )
    names = [f"{name} from {least:.0%}" for least, name in LEVELS if least]
    return text.append(f"{', '.join(names)}, else unlikely", "dim")


def _one(detail: TokenDetail, index: int, count: int) -> Text:
    """A token, its rank among the alternatives, and those."""
    ids = [each.id for each in detail.alternatives]
    rank = f"number {ids.index(detail.id) + 1}" if detail.id in ids else f"not among the first {len(ids)}"
    text = Text.assemble(
        f"token {index + 1} of {count}: ",
        shown(visible(detail.text), "bold"),
        f"  id {detail.id}  probability {percent(detail.probability)}, {rank}",
        f"  entropy {detail.entropy:.2f} nats\n",
    )
    for alternative in detail.alternatives:
        sign = ">" if alternative.id == detail.id else " "
        seen = shown(visible(alternative.text))
        seen.truncate(TOKEN_CELLS, overflow="ellipsis", pad=True)
        text.append_text(
            Text.assemble(
                f"{sign} ",
                seen,
                f" {percent(alternative.probability):>7} {bar(alternative.probability, BAR_CELLS)}\n",
            )
        )
    return text


def percent(probability: float) -> str:
    """`45%`, `0.21%`, `<0.01%`."""
    if 0 < probability < 0.0001:
        return "<0.01%"
    return f"{probability:.0%}" if probability >= 0.1 else f"{probability:.2%}"
