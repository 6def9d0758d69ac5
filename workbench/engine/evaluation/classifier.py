"""A text classification model of transformers that labels answers and references."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from workbench.engine.evaluation.batches import in_batches
from workbench.errors import fault
from workbench.evaluation.lexicon import Lexicon, named_lexicon
from workbench.project.base_model import locate

TOKENS, MOST_ROWS = 8192, 64
LONGEST = 512
"""Tokens of a text that are looked at where the model sets no limit: BERT's."""


class Labeller(Protocol):
    """What labels texts.

    Attributes:
        labels: all that it can say.
        cut: texts so far that were longer than it reads.
    """

    labels: frozenset[str]
    cut: int

    def label(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The label of each text, and how sure that is, from 0 to 1."""
        ...


def make_labeller(name: str, project_folder: Path) -> Labeller:
    """What `evaluation.classifier` names. Raises WorkbenchError: it is not there, or broken."""
    lexicon = named_lexicon(name, project_folder)
    return Words(lexicon) if lexicon else Classifier(name, project_folder)


class Words:
    """A lexicon as a labeller."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self.labels = frozenset(lexicon.labels)
        self.cut = 0

    def label(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """Its share of all words found is how sure a label is."""
        found = map(self._lexicon.classify, texts)
        return [(each.label, each.score) for each in found]


class Classifier:
    """Labels texts with a model from a folder, or from the hub's cache.

    Args:
        name: the folder, absolute or relative to the project, or a hub id.
        project_folder: what it is relative to.

    Attributes:
        labels: all that it can say, blanks around them taken off.
        cut: texts so far that were longer than it reads.

    Raises:
        WorkbenchError: no such model, none that classifies texts, or weights that could run code.
    """

    def __init__(self, name: str, project_folder: Path) -> None:
        folder = locate(name, project_folder, download=True).folder
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            self._model, report = AutoModelForSequenceClassification.from_pretrained(
                folder,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError) as error:
            what = f"the classifier does not load: {str(error).strip().partition(chr(10))[0]}"
            raise fault(what, folder, "see evaluation.classifier") from error
        if missing := sorted(report["missing_keys"]):
            raise fault(
                f"not a trained classifier: its weights lack {len(missing)} tensors, {missing[0]} among them",
                folder,
                "name a model that was trained for text classification",
            )
        if self._tokenizer.pad_token is None:  # a causal model that was given a head
            self._tokenizer.pad_token = self._tokenizer.eos_token
            self._model.config.pad_token_id = self._tokenizer.eos_token_id
        device = "cuda:0" if torch.cuda.is_available() else "cpu"
        self._model.to(device).eval().requires_grad_(False)
        names = self._model.config.id2label
        self._names = [str(names[i]).strip() for i in range(self._model.config.num_labels)]
        self.labels = frozenset(self._names)
        known = getattr(self._model.config, "max_position_embeddings", None) or LONGEST
        self._longest = min(known, self._tokenizer.model_max_length, LONGEST)
        self.cut = 0

    @torch.no_grad()
    def label(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """The label of each text, and how sure the model is of it, from 0 to 1."""
        rows = [(i, self._tokenizer(text)["input_ids"]) for i, text in enumerate(texts)]
        self.cut += sum(len(ids) > self._longest for _, ids in rows)
        found: dict[int, tuple[str, float]] = {}

        def work(batch: list[tuple[int, list[int]]]) -> None:
            inputs = self._tokenizer(
                [texts[i] for i, _ in batch],
                padding=True,
                truncation=True,
                max_length=self._longest,
                return_tensors="pt",
            ).to(self._model.device)
            scores, labels = self._model(**inputs).logits.float().softmax(-1).max(dim=-1)
            for (i, _), score, label in zip(batch, scores.tolist(), labels.tolist(), strict=True):
                found[i] = self._names[label], score

        def give_up(row: tuple[int, list[int]], why: str) -> None:
            raise fault(f"the classifier ran {why}", hint="a smaller model, or evaluate on the processor")

        in_batches(rows, lambda row: min(len(row[1]), self._longest), TOKENS, MOST_ROWS, work, give_up)
        return [found[i] for i in range(len(texts))]
