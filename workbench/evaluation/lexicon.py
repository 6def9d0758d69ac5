"""A classifier of words: the label whose words and phrases a text holds most of. Small, plain, and weak.

It knows no grammar (not happy is happy to it), no irony and no context; it is there so that generations can
be scored without a second model, and so that rules can be written for labels that words do decide. How good
it is on the project's own references is measured beside every score: believe that, not the name.

On the last turns of DailyDialog's test set the built-in lexicon has 0.760 accuracy and 0.758 weighted F1;
always answering neutral has 0.715 and 0.596. Fear and disgust it hardly knows.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from workbench.data.augment.keywords import Keywords
from workbench.errors import Problem, WorkbenchError, fault
from workbench.project.paths import expanded
from workbench.prompts.survey.checks.scripts import SCRIPTS, script_of

DEFINITION = (
    "lexicon: the label whose words and phrases stand in the text most often (each counted once, whole "
    "words, upper and lower case alike); of equally many the first in the file; the default label where "
    "there is none. The score is the label's share of all words found, 0 for the default. Weak: it sees "
    "no negation and no context"
)
BUILT_IN = Path(__file__).with_name("emotions.toml")
NAME = "lexicon"
"""What `evaluation.classifier` calls it."""
DEFAULT = "default"
SCRIPT = "script:"
"""An entry such as `script:Thai` speaks for a label where most letters are of that script."""
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")


@dataclass(frozen=True, slots=True)
class Labelled:
    """The label of a text: `score` is its share of all words found, 0 for the default; `words` say why."""

    label: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Lexicon:
    """Words and phrases by label.

    Attributes:
        words: label to what speaks for it, in the order of the file.
        default: the label of a text that holds none of them; empty for no label.
    """

    words: Mapping[str, Sequence[str]]
    default: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, the default too."""
        return tuple(dict.fromkeys([*self.words, *filter(None, [self.default])]))

    @cached_property
    def _searches(self) -> dict[str, Keywords]:
        return {
            label: Keywords({_plain(word): () for word in words if not word.startswith(SCRIPT)})
            for label, words in self.words.items()
        }

    def classify(self, text: str) -> Labelled:
        """The label of a text."""
        plain, script = _plain(text), f"{SCRIPT}{script_of(text)}"
        found = {label: sorted(search.found(plain)) for label, search in self._searches.items()}
        for label, words in self.words.items():
            if script in words:
                found[label].append(script)
        label = max(found, key=lambda each: len(found[each]), default="")
        if not label or not found[label]:
            return Labelled(self.default, 0.0, ())
        return Labelled(label, len(found[label]) / sum(map(len, found.values())), tuple(found[label]))


def named_lexicon(name: str, project_folder: Path) -> Lexicon | None:
    """The lexicon that `evaluation.classifier` names; None where it names a model.

    Raises WorkbenchError: as `read_lexicon`.
    """
    if name == NAME:
        return read_lexicon()
    return read_lexicon(project_folder / expanded(name)) if name.endswith(".toml") else None


def read_lexicon(path: Path = BUILT_IN) -> Lexicon:
    """Read a lexicon: `label = ["word", "a phrase", "script:Thai"]` for each label, and `default = "label"`.

    Raises WorkbenchError with all that is wrong: unreadable, no TOML, no label, an entry that is no text, a
    script that there is not.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", path) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise fault(f"is no TOML: {error}", path) from None
    default = table.pop(DEFAULT, "")
    problems = []
    if not isinstance(default, str):
        problems.append(Problem("is no text: the label of texts without any word", f"{path}: {DEFAULT}"))
    for label, words in table.items():
        problems += [Problem(what, f"{path}: {label}") for what in _wrong(words)]
    if not any(table.values()):
        problems.append(Problem("has no words for any label", str(path), 'such as joy = ["happy", "glad"]'))
    if problems:
        raise WorkbenchError(*problems)
    return Lexicon({label.strip(): words for label, words in table.items()}, default.strip())


def _wrong(words: object) -> list[str]:
    if not isinstance(words, list):
        return ['is no list of words, such as ["happy", "so glad"]']
    said = []
    for word in words:
        if not isinstance(word, str) or not word.strip():
            said.append(f"{word!r} is no word or phrase")
        elif word.startswith(SCRIPT) and word.removeprefix(SCRIPT) not in SCRIPTS:
            said.append(f"no script {word.removeprefix(SCRIPT)!r}: one of {', '.join(SCRIPTS[1:])}")
    return said


def _plain(text: str) -> str:
    """Typographic apostrophes as typed ones, with the blanks that corpora put around them taken out."""
    return " ".join(text.translate(_APOSTROPHES).replace(" ' ", "'").split())
