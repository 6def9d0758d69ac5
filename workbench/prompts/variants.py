"""The same rows written in several ways, to be held against each other: the project's and its variants."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import WorkbenchError
from workbench.project.store import OpenProject
from workbench.prompts.encoding.encode import Encoder, make_encoder
from workbench.prompts.template import BUILT_IN


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to write the rows.

    Attributes:
        name: what it is called.
        template: chat template, as `prompt.template`.
        system: its system message; None for the project's.
        own: it is how the project trains.
    """

    name: str
    template: str
    system: str | None = None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A variant with its encoder, or why there is none."""

    variant: Variant
    encoder: Encoder | None
    error: str = ""


def variants(project: OpenProject) -> list[Variant]:
    """The project's own way first, then its `[[prompt.variant]]`; one that says the same as the project's own
    lends it its name."""
    prompt = project.settings.prompt
    own = Variant(prompt.template, prompt.template, own=True)
    others = []
    for each in prompt.variant:
        if each.template == prompt.template and each.system in (None, prompt.system):
            own = Variant(each.name, each.template, own=True)
        else:
            others.append(Variant(each.name, each.template, each.system))
    return [own, *others]


def template_names(project: OpenProject) -> list[str]:
    """What `prompt.template` may be: the base model's own, the project's .jinja files, the built-in ones."""
    files = [file for place in ("*.jinja", "templates/*.jinja") for file in project.folder.glob(place)]
    return ["base", *sorted(str(file.relative_to(project.folder)) for file in files), *BUILT_IN]


def make(project: OpenProject, variant: Variant) -> Made:
    """The encoder of a variant; a template that is missing or broken becomes its error."""
    try:
        return Made(variant, make_encoder(project, variant.template, variant.system))
    except WorkbenchError as error:
        return Made(variant, None, str(error))


def make_all(project: OpenProject, chosen: Sequence[Variant] | None = None) -> list[Made]:
    """The encoders of the project's variants, or of `chosen` ones."""
    return [make(project, variant) for variant in (variants(project) if chosen is None else chosen)]
