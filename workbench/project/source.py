"""`[[data.source]]`: where rows come from and what they become, in a closed vocabulary without code.

Four kinds: `fields` (columns make a question and an answer), `messages` (a column holds a list of turns),
`utterances` (a column holds what two people said in turn, labels may stand beside it) and `text` (a column is
trained on as it stands).
"""

from typing import Annotated, Literal

from pydantic import Field

from workbench.project.table import Count, Table, Words, setting

CleaningName = Literal[
    "strip",
    "spaces",
    "newlines",
    "html",
    "wiki_headings",
    "wiki_links",
    "redirects",
    "bom",
    "private_use",
    "nfc",
]
"""Rules without parameters; `workbench.data.cleaning` says what each one does."""


class Condition(Table):
    """One column's condition in `where`: every operator that is given must hold."""

    equals: str | int | float | bool | None = setting(None, "The column is this value")
    among: list[str | int | float | bool] | None = setting(None, "The column is one of these", alias="in")
    matches: str | None = setting(None, "A regular expression that is found in the column's text")
    min_chars: Count | None = setting(None, "At least this many characters", unit="characters", ge=0)
    max_chars: Count | None = setting(None, "At most this many characters", unit="characters", ge=0)


class CleaningRule(Table):
    """One step of `clean` with parameters; exactly one of `prefix`, `suffix`, `replace` or the two limits."""

    on: Literal["all", "system", "user", "assistant"] = setting("all", "Whose messages it touches")
    prefix: list[Words] = setting([], "Beginnings that are taken off, such as an answer's `答案：`")
    suffix: list[Words] = setting([], "Endings that are taken off, such as a scraped `Share Prompt`")
    replace: str = setting("", "A regular expression whose matches are replaced")
    by: str = setting("", "What `replace` puts there; \\1 is the first group", alias="with")
    min_chars: Count | None = setting(None, "Rows with a shorter message are left out", ge=0)
    max_chars: Count | None = setting(None, "Rows with a longer message are left out", ge=0)


Cleaning = CleaningName | CleaningRule


class SourceTable(Table):
    """What all kinds share."""

    path: Words = setting(
        ...,
        "A file, a folder, a glob such as `data/*.jsonl`, or `hub:owner/name`; relative to the project. "
        "Formats: .json .jsonl .csv .tsv .parquet .arrow .txt, also packed as .gz or .zst",
    )
    name: str = setting("", "What reports call it; the path without it")
    rows: str = setting(
        "",
        "Where the list of rows is inside a .json file: `data.paragraphs.qas`; rows inherit the texts above",
    )
    columns: list[Words] = setting([], "Names of the columns of a .csv, .tsv or .txt file without a header")
    beside: dict[str, Words] = setting(
        {}, 'Columns from parallel files, line by line: `{ emotion = "emotions.txt" }`'
    )
    hub_split: str = setting("train", "Which split of a `hub:` data set")
    hub_config: str = setting("", "Which configuration of a `hub:` data set")
    where: dict[str, Condition] = setting({}, "Rows that do not meet this are filtered out, and counted")
    clean: list[Cleaning] = setting([], "Cleaning rules, carried out in this order")
    take: Count = setting(0, "Use at most this many rows, drawn by data.seed; 0 for all", unit="rows", ge=0)
    repeat: Count = setting(1, "How often its training rows count in one epoch", ge=1)
    split: Literal["auto", "train", "validation", "test"] = setting(
        "auto", "`auto`: divided by data.validation; else all its rows go there"
    )
    group: str = setting(
        "", "Column whose equal values stay on one side of the split: one dialogue, one article"
    )
    tags: dict[str, str | dict[str, str]] = setting(
        {},
        'Named tags: a column, `{ emotion = "{emotion}" }`, or values with a regular expression each, '
        "searched in the user's text",
    )
    blocks: dict[str, str] = setting(
        {}, 'Named context blocks put before the user\'s text: `{ "Ngữ cảnh" = "{context}" }`; see [prompt]'
    )
    system: str = setting("", "A system message for these rows; columns in braces; overrides prompt.system")


class FieldsSource(SourceTable):
    """Kind `fields`: columns become one user message and one assistant message."""

    kind: Literal["fields"]
    user: list[str] = setting(
        ["{instruction}", "{input}"],
        "Parts of the user message, joined by a blank line; a part whose columns are all empty is left out; "
        "`{input?}` is empty in rows that lack the column",
        min_length=1,
    )
    assistant: str = setting("{output}", "The assistant message; may be missing in rows of a test source")
    strip_user: list[str] = setting([], "Endings removed from the user message, such as an old separator")
    strip_assistant: list[str] = setting(
        [], "Endings removed from the assistant message, such as an old stop mark"
    )


class MessagesSource(SourceTable):
    """Kind `messages`: one column holds a list of turns."""

    kind: Literal["messages"]
    column: Words = setting("messages", "Column that holds the list of turns")
    role: Words = setting("role", "Key of a turn that names the speaker")
    content: Words = setting("content", "Key of a turn that holds its text, or an object for the template")
    text: str = setting("", "Where `content` is an object: its key that is the text, the rest is given")
    roles: dict[str, Literal["system", "user", "assistant"]] = setting(
        {}, "More speaker names, beside human/user, gpt/assistant and system"
    )


class UtterancesSource(SourceTable):
    """Kind `utterances`: what two people said in turn; the first is the user, whose last turn is dropped when
    it has no answer."""

    kind: Literal["utterances"]
    column: Words = setting("dialog", "Column with the utterances: a list, or one text cut at `separator`")
    separator: Words = setting(
        "__eou__", "What ends an utterance where the column is one text", source="DailyDialog"
    )
    labels: dict[str, list[str]] = setting(
        {},
        "Columns with one label an utterance (a list, or a text of numbers), with the label's name for each "
        "number; an empty list where they are names already",
    )
    turn: str | dict[str, str] = setting(
        "{text}",
        "The user's message, labels in braces; a table makes an object for the template, such as "
        '`{ emotion = "{emotion}", dialog = "{text}" }`',
    )
    reply: str | dict[str, str] = setting("{text}", "The assistant's message, as `turn`")


class TextSource(SourceTable):
    """Kind `text`: trained on as it stands, without a chat template."""

    kind: Literal["text"]
    text: str = setting("{text}", "The text; columns in braces")


Source = Annotated[FieldsSource | MessagesSource | UtterancesSource | TextSource, Field(discriminator="kind")]
