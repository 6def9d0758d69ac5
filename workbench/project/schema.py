"""The typed `project.toml`: every field with its default and the help that the form shows.

The description of a field is the form's help line; `unit` and `source` (where the default comes from)
travel beside it in the JSON schema extras. What holds between fields is in `relations.py`.
"""

from typing import Any, Literal

from pydantic import Field

from workbench.project.evaluation import EvaluationSettings
from workbench.project.launch import LaunchSettings
from workbench.project.sampling import Sampling
from workbench.project.source import Source
from workbench.project.table import Count, Seed, Table, Words, setting
from workbench.project.training import TrainingSettings

FORMAT = 1


class ModelSettings(Table):
    """`[model]`: the base model that is tuned."""

    base: Words = setting(
        "embedded",
        "Base model: a hub id, a folder, or `embedded`, the toy that comes along: 1.6 million parameters "
        "that know greetings, capitals, small sums and shop phrases in five languages, and make up the rest",
        source="workbench/embedded/README.md",
    )
    quantization: Literal["none", "int8", "nf4"] = setting(
        "none",
        "Weights of the base model in memory: as they are, 8 bits or 4; the latter two need method = lora",
        source="QLoRA, arXiv 2305.14314",
    )
    double_quantization: bool = setting(
        True,
        "nf4: the constants of the quantization are quantized too, 0.4 bits a weight less",
        source="QLoRA",
    )
    compute_dtype: Literal["auto", "bf16", "fp16", "fp32"] = setting(
        "auto", "nf4: arithmetic on the quantized weights; auto is that of training.precision"
    )
    attn_implementation: Literal["auto", "sdpa", "eager", "flash_attention_2"] = setting(
        "auto", "Attention: auto is SDPA, kept to one example at a time where rows are packed"
    )


class DataSettings(Table):
    """`[data]`: which rows, how many are held out, what is done with long ones."""

    seed: Seed = setting(42, "Seed of the split and of what `take` draws")
    validation: float = setting(
        0.1,
        "Held-out rows: a share below 1, a count from 1, 0 for none",
        unit="share or rows",
        ge=0,
        le=2**31 - 1,
    )
    max_tokens: Count = setting(1024, "Longest example, prompt and answer together", unit="tokens", ge=8)
    overlong: Literal["drop", "truncate", "error"] = setting(
        "drop", "Examples over a limit: leave out, cut at the end, or refuse to start; always counted"
    )
    max_prompt_tokens: Count = setting(
        0,
        "Longest prompt: all before the first trained token; 0 for no limit of its own",
        unit="tokens",
        source="source_max_len of qlora.py",
        ge=0,
    )
    max_answer_tokens: Count = setting(
        0,
        "Longest answer: from the first trained token on; 0 for no limit of its own",
        unit="tokens",
        source="target_max_len of qlora.py",
        ge=0,
    )
    train_on: Literal["assistant", "last", "all"] = setting(
        "assistant",
        "Tokens that are trained: every answer, the last answer of a conversation, or all of the text",
    )
    duplicates: Literal["keep", "drop"] = setting(
        "keep", "Conversations that are equal to the letter: the later ones stay, or are left out and counted"
    )
    near_duplicates: Literal["keep", "drop"] = setting(
        "keep", "Conversations that share four fifths of their text: the later ones stay, or are left out"
    )
    accept: list[Words] = setting(
        [], "Red findings of `workbench check`, by name, that do not keep a run from starting"
    )
    source: list[Source] = setting([], "Where the rows come from")


class Block(Table):
    """`[[prompt.block]]`: a context block that every prompt gets: knowledge, keywords, notes on culture."""

    title: Words = setting(..., "Its name, such as `Ngữ cảnh`")
    text: str = setting("", "Its text")
    file: str = setting("", "Instead of `text`: a text file of the project")


class Variant(Table):
    """`[[prompt.variant]]`: another way to write the same rows, held against this one in the prompt pane."""

    name: Words = setting(..., "What it is called")
    template: Words = setting(..., "Chat template, as `prompt.template`")
    system: str | None = setting(None, "Another system message; prompt.system without it")


class FewShot(Table):
    """`[prompt.few_shot]`: examples put before a question; drawn by seed, never the question's own row."""

    count: int = setting(0, "How many examples", ge=0, le=100)
    seed: Seed = setting(42, "Seed of the draw")
    pool: Literal["train", "validation", "test"] = setting("train", "Rows they are drawn from")
    balance: str = setting("", "A tag whose values are drawn equally often")
    before: str = setting(
        "", "Text before the examples; with `shot` empty they are turns of the conversation"
    )
    shot: str = setting("", "One example as text: {user} and {assistant} in braces")
    after: str = setting("", "Text between the examples and the question")


class PromptSettings(Table):
    """`[prompt]`: how messages become text."""

    template: Words = setting(
        "base",
        "Chat template: `base` (the tokenizer's own), a built-in name, or a .jinja file of the project",
    )
    system: str = setting("", "System message put before conversations that have none of their own")
    separator: str = setting(
        "\n\n###\n\n",
        "What the built-in template `plain` puts between prompt and completion",
        source="OpenAI's legacy fine-tuning guide",
    )
    stop: str = setting(
        "",
        "What `plain` puts after a completion; empty for the tokenizer's end of text",
        source="as separator",
    )
    special_tokens: list[Words] = setting(
        [], "Tokens added to the vocabulary; the model then trains its embeddings and its head as well"
    )
    block_form: Words = setting("{title}:\n{text}", "How a context block is written")
    question: str = setting("", "Title of the user's own text where blocks stand before it, such as `Chat`")
    block: list[Block] = setting([], "Context blocks that every prompt gets")
    variant: list[Variant] = setting([], "Other templates to hold against this one")
    few_shot: FewShot = Field(default_factory=FewShot)


class Augmentation(Table):
    """`[augmentation]`: rows made from rows by `workbench augment`, each with its provenance."""

    target: Count = setting(
        0, "Training rows in all, made ones included; 0 for all that one change makes", unit="rows", ge=0
    )
    break_conversations: bool = setting(False, "One row for each reply, with all that was said before it")
    keywords: dict[str, list[Words]] = setting(
        {}, 'A word of the user\'s text and what may stand for it: `{ laptop = ["máy tính"] }`'
    )
    paraphrases: list[Words] = setting(
        [],
        "Other ways to put a question, its {text} included: `Cho em hỏi: {text}`; a text of several lines "
        "that begins with a title and a colon is left as it is",
    )
    seed: Seed = setting(42, "Seed of what is drawn where more can be made than `target` asks for")


class ChatSettings(Sampling):
    """`[chat]`: how answers are drawn."""

    system: str = setting("", "System message of conversations; empty for the one of training, prompt.system")
    last_turns: Count = setting(
        0,
        "Memory: only this many last questions, with their answers, are sent; 0 for all that fit the context",
        unit="questions",
        ge=0,
    )


class Project(Table):
    """One `project.toml`, complete with defaults."""

    format: Literal[1] = setting(FORMAT, "Version of this file's format")
    name: Words = setting(..., "Name of the project")
    about: str = setting("", "One line on what it is for")
    model: ModelSettings = Field(default_factory=ModelSettings)
    data: DataSettings = Field(default_factory=DataSettings)
    prompt: PromptSettings = Field(default_factory=PromptSettings)
    training: TrainingSettings = Field(default_factory=TrainingSettings)
    launch: LaunchSettings = Field(default_factory=LaunchSettings)
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings)
    chat: ChatSettings = Field(default_factory=ChatSettings)
    augmentation: Augmentation = Field(default_factory=Augmentation)
    profile: dict[str, dict[str, Any]] = setting({}, "Named tables laid over the rest: `--profile tiny`")
