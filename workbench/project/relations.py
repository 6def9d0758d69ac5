"""What must hold between settings, or inside one in a way that a type cannot say."""

from collections.abc import Iterator

from workbench.project.complaints import Complaint
from workbench.project.evaluation import EvaluationSettings
from workbench.project.launch_relations import broken_in_launch
from workbench.project.placeholders import placeholders
from workbench.project.positions import KeyPath
from workbench.project.sampling import Sampling
from workbench.project.schema import Project, PromptSettings
from workbench.project.source_relations import broken_in_sources
from workbench.project.training_relations import broken_in_training


def broken_relations(settings: Project) -> Iterator[Complaint]:
    """Every relation that valid settings break."""
    yield from broken_in_training(settings)
    yield from broken_in_launch(settings)
    yield from _count_or_share(("data", "validation"), settings.data.validation, "rows")
    yield from _count_or_share(("training", "warmup_steps"), settings.training.warmup_steps, "steps")
    yield from broken_in_sources(settings.data.source)
    yield from _broken_in_prompt(settings.prompt)
    yield from _unknown_balance(settings)
    yield from _too_short(settings.chat, "chat")
    yield from _too_short(settings.evaluation.decoding, "evaluation", "decoding")
    yield from _no_length(settings.evaluation)
    for i, phrase in enumerate(settings.augmentation.paraphrases):
        yield from _without(("augmentation", "paraphrases", i), phrase, "text")


def _too_short(drawn: Sampling, *table: str) -> Iterator[Complaint]:
    if drawn.min_new_tokens > drawn.max_new_tokens:
        what = f"more than {'.'.join(table)}.max_new_tokens = {drawn.max_new_tokens}"
        yield Complaint((*table, "min_new_tokens"), what, involved=((*table, "max_new_tokens"),))


def _no_length(settings: EvaluationSettings) -> Iterator[Complaint]:
    if 0 < settings.longest_answer < settings.shortest_answer:
        what = f"more than evaluation.longest_answer = {settings.longest_answer}"
        longest: KeyPath = ("evaluation", "longest_answer")
        yield Complaint(("evaluation", "shortest_answer"), what, involved=(longest,))


def _count_or_share(path: KeyPath, value: float, unit: str) -> Iterator[Complaint]:
    if value > 1 and value != int(value):
        hint = "below 1 it is a share, from 1 on a count"
        yield Complaint(path, f"not a whole number of {unit}: {value:g}", hint)


def _broken_in_prompt(prompt: PromptSettings) -> Iterator[Complaint]:
    for i, block in enumerate(prompt.block):
        path: KeyPath = ("prompt", "block", i)
        if not (block.text or block.file):
            yield Complaint(path, "an empty block", "give it `text`, or a `file` of the project")
        elif block.text and block.file:
            yield Complaint(
                (*path, "file"), "a block has text or a file, not both", involved=((*path, "text"),)
            )
    yield from _without(("prompt", "block_form"), prompt.block_form, "text")
    first: dict[str, int] = {}
    for i, variant in enumerate(prompt.variant):
        if (earlier := first.setdefault(variant.name, i)) != i:
            involved: KeyPath = ("prompt", "variant", earlier, "name")
            what = f"two variants are called {variant.name!r}"
            yield Complaint(("prompt", "variant", i, "name"), what, involved=(involved,))
    if prompt.few_shot.shot:
        yield from _without(("prompt", "few_shot", "shot"), prompt.few_shot.shot, "user", "assistant")


def _unknown_balance(settings: Project) -> Iterator[Complaint]:
    balance = settings.prompt.few_shot.balance
    known = dict.fromkeys(tag for source in settings.data.source for tag in source.tags)
    if balance and balance not in known:
        hint = f"tags here: {', '.join(known)}" if known else "tags are made in data.source.tags"
        path: KeyPath = ("prompt", "few_shot", "balance")
        yield Complaint(path, f"no source has a tag {balance!r}", hint, (("data", "source"),))


def _without(path: KeyPath, template: str, *names: str) -> Iterator[Complaint]:
    """A template that lacks one of its placeholders."""
    if lacking := [f"{{{name}}}" for name in names if name not in placeholders(template)]:
        yield Complaint(path, f"has no {' and no '.join(lacking)}")
