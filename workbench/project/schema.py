"""The typed `project.toml`: every field with its default and the help that the form shows.

The description of a field is the form's help line; `unit` and `source` (where the default comes from)
travel beside it in the JSON schema extras. What holds between fields is in `relations.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

FORMAT = 1

Count = Annotated[int, Field(le=2**31 - 1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""What numpy's and torch's generators take."""
Words = Annotated[str, Field(min_length=1)]


def setting(default: Any, help: str, *, unit: str = "", source: str = "", **bounds: Any) -> Any:
    """A pydantic field that carries what the form needs to explain it."""
    extra: JsonDict = {"unit": unit, "source": source}
    return Field(default, description=help, json_schema_extra=extra, **bounds)


class Table(BaseModel):
    """A TOML table: unknown keys are errors, and no value is silently converted (a text "8" is no number)."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)


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


class FieldsSource(Table):
    """`[[data.source]]` of kind `fields`: columns become one user message and one assistant message."""

    kind: Literal["fields"]
    path: Words = setting(..., "File, relative to the project: .json, .jsonl, .csv, .tsv or .parquet")
    user: list[str] = setting(
        ["{instruction}", "{input}"],
        "Parts of the user message, joined by a blank line; a part whose columns are all empty is left out",
        min_length=1,
    )
    assistant: str = setting("{output}", "The assistant message")
    system: str = setting("", "A system message for these rows; columns in braces; overrides prompt.system")
    strip_user: list[str] = setting([], "Endings removed from the user message, such as an old separator")
    strip_assistant: list[str] = setting(
        [], "Endings removed from the assistant message, such as an old stop mark"
    )


class MessagesSource(Table):
    """`[[data.source]]` of kind `messages`: one column holds a list of turns."""

    kind: Literal["messages"]
    path: Words = setting(..., "File, relative to the project: .json, .jsonl or .parquet")
    column: Words = setting("messages", "Column that holds the list of turns")
    role: Words = setting("role", "Key of a turn that names the speaker")
    content: Words = setting("content", "Key of a turn that holds its text")
    roles: dict[str, Literal["system", "user", "assistant"]] = setting(
        {}, "More speaker names, beside human/user, gpt/assistant and system"
    )


Source = Annotated[FieldsSource | MessagesSource, Field(discriminator="kind")]


class DataSettings(Table):
    """`[data]`: which rows, how many are held out, what is done with long ones."""

    seed: Seed = setting(42, "Seed of the split into training and validation rows")
    validation: float = setting(
        0.1,
        "Held-out rows: a share below 1, a count from 1, 0 for none",
        unit="share or rows",
        ge=0,
        le=2**31 - 1,
    )
    max_tokens: Count = setting(1024, "Longest example, prompt and answer together", unit="tokens", ge=8)
    overlong: Literal["drop", "truncate", "error"] = setting(
        "drop", "Examples over max_tokens: leave out, cut at the end, or refuse to start; always counted"
    )
    train_on: Literal["assistant", "last", "all"] = setting(
        "assistant",
        "Tokens that are trained: every answer, the last answer of a conversation, or all of the text",
    )
    source: list[Source] = setting([], "Where the rows come from")


class PromptSettings(Table):
    """`[prompt]`: how messages become text."""

    template: Words = setting(
        "base",
        "Chat template: `base` (the tokenizer's own), a built-in name, or a .jinja file of the project",
    )
    system: str = setting("", "System message put before conversations that have none of their own")


class TrainingSettings(Table):
    """`[training]`: names as in transformers' TrainingArguments where one exists."""

    method: Literal["lora", "full"] = setting(
        "lora", "Train a low-rank adapter, or every weight of the base model"
    )
    rank: Count = setting(16, "LoRA rank: width of the adapter", source="LoRA, arXiv 2106.09685", ge=1)
    alpha: Count = setting(32, "LoRA alpha: the adapter counts alpha / rank; rank or twice the rank", ge=1)
    dropout: float = setting(0.0, "LoRA dropout", unit="share", ge=0, lt=1)
    target_modules: Words | Annotated[list[Words], Field(min_length=1)] = setting(
        "all-linear", "Layers that get an adapter: `all-linear`, or a list of names", source="peft"
    )
    learning_rate: float = setting(2e-4, "Peak learning rate; about 2e-4 for LoRA, 2e-5 for full", gt=0, lt=1)
    lr_scheduler_type: Literal[
        "linear", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup"
    ] = setting("cosine", "Shape of the learning rate over the run; `constant` ignores warmup_steps")
    warmup_steps: float = setting(
        0.05,
        "Warm-up: a share of the run below 1, or a count",
        unit="share or steps",
        ge=0,
        le=2**31 - 1,
    )
    num_train_epochs: float = setting(3.0, "Passes over the training rows", unit="epochs", gt=0, le=1e6)
    max_steps: Count = setting(0, "Optimizer steps; 0 means by epochs", unit="steps", ge=0)
    per_device_train_batch_size: Count = setting(
        8, "Micro-batch: examples in memory at once", unit="examples", ge=1
    )
    gradient_accumulation_steps: Count = setting(
        1, "Micro-batches per optimizer step; effective batch = micro-batch x this", ge=1
    )
    packing: Literal["batch", "bfd", "none"] = setting(
        "batch",
        "No padding: `batch` lays a micro-batch end to end (same examples a step), "
        "`bfd` fills rows of max_tokens; `none` pads",
        source="exact under SDPA: position ids keep examples apart",
    )
    weight_decay: float = setting(0.0, "Weight decay of AdamW", ge=0, le=1e6)
    max_grad_norm: float = setting(1.0, "Gradients are scaled down to this norm", source="transformers", gt=0)
    precision: Literal["auto", "bf16", "fp16", "fp32"] = setting(
        "auto", "Arithmetic: auto takes bf16 where the GPU has it, fp16 on an older GPU, fp32 on a CPU"
    )
    gradient_checkpointing: bool = setting(False, "Recompute activations: less memory, about a fifth slower")
    logging_steps: Count = setting(1, "Steps between points of the training curve", unit="steps", ge=1)
    eval_steps: Count = setting(20, "Steps between validations; 0 for only at the end", unit="steps", ge=0)
    save_steps: Count = setting(50, "Steps between checkpoints; 0 for only at the end", unit="steps", ge=0)
    save_total_limit: Count = setting(
        3,
        "Checkpoints kept; the newest and the best always stay, so 1 can leave two; 0 keeps all",
        unit="checkpoints",
        ge=0,
    )
    seed: Seed = setting(42, "Seed of the adapter's start values, of dropout and of the order of rows")


class ChatSettings(Table):
    """`[chat]`: how answers are drawn."""

    system: str = setting("", "System message of conversations; empty for the one of training, prompt.system")
    temperature: float = setting(0.7, "0 always takes the likeliest token; higher is freer", ge=0, le=5)
    top_p: float = setting(
        1.0, "Draw from the likeliest tokens that together hold this share", unit="share", gt=0, le=1
    )
    top_k: Count = setting(0, "Draw from this many likeliest tokens; 0 for no limit", unit="tokens", ge=0)
    min_p: float = setting(
        0.0, "Leave out tokens less likely than this share of the likeliest", unit="share", ge=0, le=1
    )
    repetition_penalty: float = setting(
        1.0,
        "Above 1 divides the scores of tokens already in prompt or answer",
        source="CTRL, arXiv 1909.05858",
        gt=0,
        le=5,
    )
    presence_penalty: float = setting(
        0.0,
        "Subtracted once from the score of a token already in the answer",
        source="OpenAI API",
        ge=-2,
        le=2,
    )
    max_new_tokens: Count = setting(256, "Longest answer", unit="tokens", ge=1)
    seed: Seed = setting(0, "Seed of the draw: the same seed gives the same answer")
    stop: list[Words] = setting([], "Texts that end an answer, beside the template's own stop token")


class Project(Table):
    """One `project.toml`, complete with defaults."""

    format: Literal[1] = setting(FORMAT, "Version of this file's format")
    name: Words = setting(..., "Name of the project")
    about: str = setting("", "One line on what it is for")
    model: ModelSettings = Field(default_factory=ModelSettings)
    data: DataSettings = Field(default_factory=DataSettings)
    prompt: PromptSettings = Field(default_factory=PromptSettings)
    training: TrainingSettings = Field(default_factory=TrainingSettings)
    chat: ChatSettings = Field(default_factory=ChatSettings)
    profile: dict[str, dict[str, Any]] = setting({}, "Named tables laid over the rest: `--profile tiny`")
