"""Special tokens: more rows, trained and saved with the adapter; chat loads what training wrote."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
import torch
from safetensors.torch import load_file
from test_engine_train import StopAfter, go
from transformers import LlamaConfig, LlamaForCausalLM

from workbench.chat.targets import targets
from workbench.data.example import Message
from workbench.engine.chat_model import load_encoder, load_model, model_folder
from workbench.engine.generate import Session
from workbench.engine.models import make_trainable
from workbench.engine.vocabulary import grow_vocabulary
from workbench.errors import WorkbenchError
from workbench.project.base_model import locate
from workbench.project.schema import ChatSettings
from workbench.project.store import open_project
from workbench.project.training import TrainingSettings
from workbench.prompts.tokenizer import load_tokenizer
from workbench.runs.checkpoints import list_checkpoints
from workbench.runs.folder import create_run

TOKENS = ["[U]", "[/U]", "[C]", "[/C]"]
TEMPLATE = (
    "{% for m in messages %}{{ '[U] ' ~ m.content ~ ' [/U]' if m.role == 'user' else '' }}"
    "{% if m.role == 'assistant' %}[C]{% generation %}{{ m.content }}[/C]{% endgeneration %}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}[C]{% endif %}"
)


@pytest.fixture
def special_project(make_project: Callable[..., Path]) -> Callable[..., Path]:
    def write(base: str | None = None, **training: object) -> Path:
        folder = make_project(model={"base": base} if base else None, max_steps=4, save_steps=2, **training)
        (folder / "tags.jinja").write_text(TEMPLATE)
        file = folder / "project.toml"
        prompt = f'[prompt]\ntemplate = "tags.jinja"\nspecial_tokens = {TOKENS}\n\n[[data.source]]'
        file.write_text(file.read_text().replace("[[data.source]]", prompt))
        return folder

    return write


@pytest.mark.parametrize("base", [None, "embedded"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_run_with_new_tokens_is_trained_saved_and_talked_to(
    special_project: Callable[..., Path], method: str, base: str | None
) -> None:
    folder = special_project(base, method=method, learning_rate=1e-2)
    project = open_project(folder)
    run = create_run(project, ["test"], {}, TEMPLATE)
    go(run)
    first, last = (each.path for each in list_checkpoints(run))
    target = next(each for each in targets(project) if each.weights == last)
    where = model_folder(target)
    encoder, model = load_encoder(target, where), load_model(target, where)
    ids = [encoder.tokenizer.encode(text)[0] for text in TOKENS]
    old = load_tokenizer(locate(target.base, folder).folder).size
    assert ids == [[old + n] for n in range(len(TOKENS))]
    embeddings, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    assert len(embeddings) == len(head) == old + len(TOKENS) and torch.equal(embeddings, head)
    assert not torch.equal(rows_of(first, old), rows_of(last, old))  # the new rows are trained
    assert torch.allclose(rows_of(last, old), embeddings[old:])
    pieces: list[str] = []
    asked = [Message("user", "norway")]
    answer = Session(model, encoder).answer(asked, ChatSettings(max_new_tokens=5), pieces.append, Event())
    assert answer.ids and encoder.prompt(asked)[1] == "[U] norway [/U][C]"
    assert ids[-1][0] in encoder.stop_ids


def test_the_base_model_reads_them_as_text(special_project: Callable[..., Path]) -> None:
    base = targets(open_project(special_project("embedded")))[0]
    where = model_folder(base)
    encoder, model = load_encoder(base, where), load_model(base, where)
    asked = [Message("user", "norway")]
    assert max(encoder.prompt(asked)[0]) < model.get_input_embeddings().num_embeddings
    assert Session(model, encoder).answer(asked, ChatSettings(max_new_tokens=3), [].append, Event()).ids


def rows_of(checkpoint: Path, old: int) -> torch.Tensor:
    """The new rows of the embeddings that a checkpoint holds."""
    file = next(checkpoint.glob("*model.safetensors"))
    tensors = load_file(file)
    return next(tensor[old:] for name, tensor in tensors.items() if "embed_tokens" in name)


def test_an_interrupted_run_goes_on_to_the_same_weights(special_project: Callable[..., Path]) -> None:
    folder = special_project(learning_rate=1e-2)
    whole = create_run(open_project(folder), ["test"], {}, TEMPLATE)
    go(whole)
    halved = create_run(open_project(folder), ["test"], {}, TEMPLATE)
    go(halved, StopAfter(halved, 2))
    go(halved)
    ends = [
        load_file(list_checkpoints(run)[-1].path / "adapter_model.safetensors") for run in (whole, halved)
    ]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(tensor, ends[1][name]) for name, tensor in ends[0].items())


def test_untied_embeddings_and_head_are_both_trained(tiny_base: Path) -> None:
    config = LlamaConfig.from_pretrained(tiny_base, tie_word_embeddings=False)
    model = LlamaForCausalLM(config)
    size = config.vocab_size + 4
    grow_vocabulary(model, size)
    adapted = make_trainable(model, TrainingSettings(rank=2), "base", grown=True)
    trained = {name for name, each in adapted.named_parameters() if each.requires_grad}
    assert sum("modules_to_save" in name for name in trained) == 2
    assert model.get_output_embeddings().weight.shape[0] == size


def test_a_model_with_rows_to_spare_keeps_them(tiny_base: Path) -> None:
    model = LlamaForCausalLM.from_pretrained(tiny_base)
    before = model.get_input_embeddings().weight
    grow_vocabulary(model, len(before) - 3)
    assert model.get_input_embeddings().weight is before


def test_quantized_embeddings_are_refused_by_name(tiny_base: Path) -> None:
    model = LlamaForCausalLM.from_pretrained(tiny_base)
    model.get_input_embeddings().weight = torch.nn.Parameter(
        model.get_input_embeddings().weight.to(torch.int8), requires_grad=False
    )
    with pytest.raises(WorkbenchError, match=r"prompt\.special_tokens.*quantized"):
        grow_vocabulary(model, 10_000)
