"""Labels of answers: by a text classification model that is trained here, and by words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from evaluations import begun, events, planned, work

from workbench.engine.evaluation import classifier
from workbench.engine.evaluation.classifier import Classifier, make_labeller
from workbench.engine.evaluation.labelling import label_trouble
from workbench.errors import WorkbenchError
from workbench.evaluation.ladder import Ladder
from workbench.evaluation.records import Label, ScoredRow, read_records

MakeProject = Callable[..., Path]
CLASSES = ["north", "south "]
"""One with a blank behind it, as in the list of labels of the emotion project."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT that tells texts with `oslo` or `norway` from all others."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = [
        "what",
        "is",
        "the",
        "capital",
        "of",
        "norway",
        "oslo",
        "france",
        "paris",
        "spain",
        "madrid",
        "italy",
    ]
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *words])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=len(vocabulary),
        max_position_embeddings=32,
        id2label=dict(enumerate(CLASSES)),
        label2id={name: number for number, name in enumerate(CLASSES)},
        **sizes,
    )
    net = BertForSequenceClassification(config).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-2)
    texts = [f"{first} {second}" for first in words for second in words]
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    labels = torch.tensor([int("oslo" not in text and "norway" not in text) for text in texts])
    for _ in range(60):
        optimizer.zero_grad()
        net(**inputs, labels=labels).loss.backward()
        optimizer.step()
    folder = tmp_path_factory.mktemp("classifier")
    net.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_labels_in_the_order_of_the_texts(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "MOST_ROWS", 2)
    found = Classifier(str(model), Path()).label(
        ["paris", "what is the capital of norway", "madrid is", "oslo"]
    )
    assert [label for label, _ in found] == ["south", "north", "south", "north"]
    assert all(0.5 < score <= 1 for _, score in found)


def test_texts_that_are_too_long_are_counted(model: Path) -> None:
    labeller = Classifier(str(model), Path())
    (found,) = labeller.label(["paris " * 100])
    assert found[0] == "south" and labeller.cut == 1


def test_a_folder_that_classifies_nothing_is_refused(tiny_base: Path) -> None:
    with pytest.raises(WorkbenchError, match="not a trained classifier"):
        make_labeller(str(tiny_base), Path())
    with pytest.raises(WorkbenchError, match="no base model"):
        make_labeller("nowhere/at/all", Path())


def project_with_labels(make_project: MakeProject) -> Path:
    folder = make_project()
    rows = [
        {"instruction": "what is oslo", "output": "norway", "side": "north"},
        {"instruction": "what is paris", "output": "france", "side": "south"},
        {"instruction": "of italy", "output": "oslo", "side": "east"},
    ]
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "project.toml").open("a") as file:
        file.write('[[data.source]]\nkind = "fields"\npath = "test.jsonl"\nuser = ["{instruction}"]\n')
        file.write('split = "test"\ntags = { side = "{side}" }\n')
    return folder


def test_answers_and_references_are_labelled_once(make_project: MakeProject, model: Path) -> None:
    settings = {
        "evaluation__classifier": str(model),
        "evaluation__label": "side",
        "evaluation__decoding__max_new_tokens": 4,
    }
    evaluation = begun(*planned(project_with_labels(make_project), **settings))
    assert work(evaluation) == work(evaluation) == ""
    told = events(evaluation, "progress")[-1]
    assert told["done"] == told["total"] == 3 + 3 + 6
    labels = list(read_records(evaluation.contestant(0).labels, Label))
    assert sorted(label.of for label in labels) == ["answer"] * 3 + ["reference"] * 3
    table = Ladder(evaluation).read()
    # The label east is none of the classifier's
    assert table.references is not None and table.references.accuracy == pytest.approx(2 / 3)
    assert table.standings[0].labels is not None
    said = [event["message"] for event in events(evaluation, "warning")]
    assert sum("does not know east: it says north, south" in message for message in said) == 2


def test_words_of_the_project_label_too(make_project: MakeProject) -> None:
    folder = project_with_labels(make_project)
    (folder / "sides.toml").write_text('default = "south"\nnorth = ["oslo", "norway"]\n')
    settings = {
        "evaluation__classifier": "sides.toml",
        "evaluation__label": "side",
        "evaluation__answers": False,
    }
    evaluation = begun(*planned(folder, **settings))
    assert work(evaluation) == ""
    references = Ladder(evaluation).read().references
    assert references is not None and references.accuracy == pytest.approx(2 / 3)
    with pytest.raises(WorkbenchError, match="cannot be read"):
        make_labeller("none.toml", folder)


@pytest.mark.parametrize(("tag", "said"), [("", "no tag is named"), ("mood", "no row has the tag mood")])
def test_labels_that_are_held_against_nothing_are_told(tag: str, said: str) -> None:
    row = ScoredRow(source=0, row=0, id="0", messages=[], reference="so", tags={"emotion": "happiness"})
    labeller = make_labeller("lexicon", Path())
    assert said in label_trouble([row], tag, labeller)
    assert label_trouble([row], "emotion", labeller) == ""
    odd = row.model_copy(update={"tags": {"emotion": "mirth"}})
    assert "does not know mirth" in label_trouble([row, odd], "emotion", labeller)
