"""What each place of the screen is for and what to do next: for its help and for the cards of the tour."""

from collections.abc import Mapping
from dataclasses import dataclass

PURPOSES: Mapping[str, str] = {
    "welcome": (
        "Nothing is open yet. The projects that come along run from start to end on the small base model, "
        "without network or GPU: enter copies the chosen one and opens the copy. n makes a project of your "
        "own rows."
    ),
    "data.rows": (
        "Every row of every source, and what becomes of it: trained on, held out, or left out with its "
        "reason. Look at some, go through the rejected ones with n, then see one as it trains with enter."
    ),
    "data.sources": (
        "Where the rows come from and how many of each are used. A source that loses more rows than you "
        "expect is worth a look: enter shows them. a adds a file."
    ),
    "data.cleaning": (
        "What the cleaning rules change, before and after, and rules that are worth adding. Take a rule by "
        "enter, look at what it touches with n, take it out again with x."
    ),
    "data.augment": (
        "Rows made from your rows: other breaks of a reply, other words, other ways to ask. Nothing is "
        "written until w; look through them first, enter shows what a row is made from."
    ),
    "data.balance": (
        "How often each tag occurs among trained and held-out rows. A tag that is rare, or is missing on "
        "one side, cannot be learnt or judged; enter shows its rows."
    ),
    "data.statistics": (
        "Lengths in tokens and what is trained of them. Choose data.max_tokens in 3 Setup so that few rows "
        "are cut off; enter shows a long row as it trains."
    ),
    "data.checks": (
        "What would go wrong in a run, before it costs anything. Red findings keep a run from starting: "
        "enter shows the rows, mend them, or accept the finding with x."
    ),
    "data": "Views of the same rows: each answers one question. Go through them with ] once before a run.",
    "prompt": (
        "One row exactly as it trains, after the chat template: marked tokens are learnt, the rest is only "
        "read. The answer and its stop token must be marked. m shows token ids, v other templates beside "
        "it."
    ),
    "prompt.variants": (
        "The same row as several templates write it. Take the one that the base model was trained with; u "
        "makes it the project's template."
    ),
    "setup": (
        "Every setting, with help, default and source below. Change what you know a reason for, watch the "
        "memory bar, save with s; then 4 Train. A ~ says that a setting does not do what one may think."
    ),
    "train": (
        "Your runs, and the curves of the chosen one. t starts one in the background: it goes on when you "
        "leave. Watch the validation loss; the verdict below says what the curves show. Then talk to it in "
        "6 Chat."
    ),
    "train.compare": (
        "Marked runs side by side on the same figures. Look first at the settings that differ, then at the "
        "validation loss: only runs with the same validation rows can be held against each other."
    ),
    "train.queue": (
        "Runs that wait for their turn. a puts one in with the saved settings, v several that differ in "
        "some, s begins; it goes on when you leave."
    ),
    "evaluate": (
        "How good a model is, in figures and in answers, on rows that it was not trained on. Score the base"
        " model first: without it no figure of a run says anything. Then compare the two on the same rows."
    ),
    "evaluate.ladder": (
        "All models on the same rows. t holds the base model against the checkpoints of the newest run. "
        "Choose a figure with m: what it means stands below the table, a star marks the best. Then look at "
        "the rows behind it: enter."
    ),
    "evaluate.rows": (
        "The rows that the model is worst at come first, with what the checks found in its answers. Read "
        "some before you believe a figure; enter shows what the other models answered."
    ),
    "evaluate.beside": (
        "The same row, answered by several models. r rates answers blind, so that the names do not decide; "
        "e writes an answer as it should be, i notes what is wrong, w makes rows to train on of both."
    ),
    "evaluate.labels": (
        "What the classifier makes of the answers. Look at the majority baseline first: a model that is no "
        "better learnt nothing; and at what the classifier reaches on the references themselves."
    ),
    "evaluate.checks": (
        "What is wrong with answers, counted. Loops and answers that do not end come from decoding or from "
        "a stop token that was not trained: enter shows the rows."
    ),
    "evaluate.grid": (
        "Sampling settings held against each other on the same questions. Settings that are not told apart "
        "are as good as the suggested ones; u writes a line to [chat]."
    ),
    "evaluate.report": (
        "All of it to be read and handed on: of the project, of each run, of each sweep. w writes it as "
        "Markdown and as one HTML file."
    ),
    "chat": (
        "Talk to the base model and to every checkpoint with the template it was trained with. Ask the base"
        " model, choose a checkpoint with m, ask the same again with g."
    ),
    "chat.tokens": (
        "How likely each token of the answer was, and what else could have stood there. n goes to the least"
        " likely one: there the model was least sure."
    ),
    "chat.candidates": (
        "One answer for each value of a tag, side by side. A number takes one into the conversation."
    ),
}
"""Place of the registry to two or three sentences for its help."""


@dataclass(frozen=True)
class Card:
    """What the tour says of a pane.

    Attributes:
        see: what is on the screen.
        press: what to try, once the tour is left.
        top: the card lies above, where the pane's own part below matters more.
    """

    see: str
    press: str
    top: bool = False


CARDS: Mapping[str, Card] = {
    "data": Card(
        "Your rows as they are in the files, and what becomes of each: kept, held out for validation, or "
        "rejected with a reason. Nothing is dropped without being counted.",
        "n next rejected row   ] next view, such as checks   a add a file",
    ),
    "prompt": Card(
        "One row exactly as it will train. Marked tokens are what the model learns; the rest it only reads."
        " If the marks are wrong here, no amount of training helps.",
        "← → other rows   m tokens and ids   v other templates beside this one",
    ),
    "setup": Card(
        "Every setting, with its help, unit, default and source below. The bar shows the memory that a run "
        "would take, before it is taken. Comments in your project.toml stay.",
        "enter change   d default   s save",
        top=True,
    ),
    "train": Card(
        "Runs go on in the background: leave, lose the connection, come back. Loss, validation loss, speed "
        "and a verdict that says what the curves show, and by which rule.",
        "t start   s stop with a checkpoint   r resume   b compare   u queue",
    ),
    "evaluate": Card(
        "Base and trained model on the same held-out rows: perplexity, metrics, answers side by side. A "
        "figure without the base model's beside it says little.",
        "t start   m another figure   o rows, worst first   f answers side by side, r rates them",
        top=True,
    ),
    "chat": Card(
        "Talk to the base model or to any checkpoint, with the template that it was trained with; a warning"
        " stands above when it is another.",
        "i write   esc, then m choose a model   a one more beside   g again",
        top=True,
    ),
}
"""Pane to what the tour says of it."""
