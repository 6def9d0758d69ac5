"""The tensors of a base model by name and size, from its config.json or its safetensors headers: no torch.

Families whose layers are known are read off config.json alone, so that a model whose weights are not here yet
has a forecast too. Any other architecture needs its weights' headers.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from workbench.errors import fault
from workbench.project.weights import safetensors_header

Size = tuple[int, ...]

_LAYER = re.compile(r"\.(\d+)\.")
_EMBEDDINGS = re.compile(r"embed|wte|wpe")


@dataclass(frozen=True, slots=True)
class Linear:
    """One linear layer: its module's name, and its width in and out."""

    name: str
    d_in: int
    d_out: int

    @property
    def size(self) -> int:
        """Parameters of its matrix."""
        return self.d_in * self.d_out

    @property
    def kind(self) -> str:
        """The last part of its name, such as `q_proj`."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Block:
    """The inside of one decoder layer of a family that is known.

    Attributes:
        queries: width of all query heads together.
        keys: width of all key heads together, and of all value heads.
        norms: normalisations over the hidden width.
        head_norms: whether queries and keys are normalised head by head.
    """

    queries: int
    keys: int
    intermediate: int
    norms: int
    head_norms: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A causal language model as sizes.

    Attributes:
        family: `model_type` of config.json.
        linears: every linear layer but the head.
        embeddings: name to (rows, width), the first one of the tokens.
        head: name of the output layer; empty where the file has none of its own (tied).
        tied: embeddings and head are one matrix.
        others: name to size of all that is left: norms, biases, experts kept as one tensor.
        block: the inside of a layer; None for a family that is not known.
    """

    family: str
    hidden: int
    layers: int
    vocabulary: int
    heads: int
    linears: tuple[Linear, ...]
    embeddings: tuple[tuple[str, Size], ...]
    head: str
    tied: bool
    others: tuple[tuple[str, Size], ...]
    block: Block | None

    @property
    def tensors(self) -> list[tuple[str, Size]]:
        """Every parameter once, by its name without `.weight`; a tied head is the embeddings."""
        head = [] if self.tied else [(self.head, (self.vocabulary, self.hidden))]
        linears = [(each.name, (each.d_out, each.d_in)) for each in self.linears]
        return [*self.embeddings, *linears, *head, *self.others]

    @property
    def parameters(self) -> int:
        """Numbers in the model, those of a tied head once."""
        return sum(prod(size) for _, size in self.tensors)

    @property
    def key(self) -> str:
        """Tells models of different sizes apart, in few characters."""
        return f"{self.family}-{self.layers}x{self.hidden}-v{self.vocabulary}-{self.parameters}"


def read_shape(folder: Path) -> Shape:
    """The shape of the base model in `folder`.

    Raises:
        WorkbenchError: config.json cannot be read, or the family is not known and no weights are here.
    """
    file = folder / "config.json"
    try:
        stamps = tuple(
            (each.name, each.stat().st_size, each.stat().st_mtime_ns)
            for each in sorted([file, *folder.glob("*.safetensors")])
        )
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror or error}", file) from error
    return _read(folder, stamps)


@lru_cache(maxsize=16)
def _read(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> Shape:
    file = folder / "config.json"
    try:
        config = json.loads(file.read_bytes())
        family = str(config.get("model_type", ""))
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise fault(f"cannot be read: {error}", file) from error
    if family in _FAMILIES:
        try:
            return _from_config(family, config)
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            pass  # its weights' headers say the same
    return _from_headers(family, config, folder)


@dataclass(frozen=True, slots=True)
class _Family:
    """What config.json of a family leaves open. Source: transformers/models/*/modeling_*.py, 5.23."""

    qkv_bias: bool | None = None
    """None: `attention_bias` of the config says it, of the output projection too."""
    norms: int = 2
    head_norms: bool = False
    tied: bool = False


_FAMILIES = {
    "llama": _Family(),
    "mistral": _Family(qkv_bias=False),
    "qwen2": _Family(qkv_bias=True),
    "qwen3": _Family(head_norms=True),
    "gemma": _Family(tied=True),
    "gemma2": _Family(norms=4, tied=True),
    "gemma3_text": _Family(norms=4, head_norms=True, tied=True),
}


def _from_config(family: str, config: dict[str, Any]) -> Shape:
    known = _FAMILIES[family]
    hidden, layers = int(config["hidden_size"]), int(config["num_hidden_layers"])
    intermediate, vocabulary = int(config["intermediate_size"]), int(config["vocab_size"])
    heads = int(config["num_attention_heads"])
    width = int(config.get("head_dim") or hidden // heads)
    queries, keys = heads * width, int(config.get("num_key_value_heads") or heads) * width
    own_bias = bool(config.get("attention_bias"))
    qkv_bias = own_bias if known.qkv_bias is None else known.qkv_bias
    out_bias = own_bias if known.qkv_bias is None else False
    mlp_bias = family == "llama" and bool(config.get("mlp_bias"))
    parts = (
        ("self_attn.q_proj", hidden, queries, qkv_bias),
        ("self_attn.k_proj", hidden, keys, qkv_bias),
        ("self_attn.v_proj", hidden, keys, qkv_bias),
        ("self_attn.o_proj", queries, hidden, out_bias),
        ("mlp.gate_proj", hidden, intermediate, mlp_bias),
        ("mlp.up_proj", hidden, intermediate, mlp_bias),
        ("mlp.down_proj", intermediate, hidden, mlp_bias),
    )
    linears: list[Linear] = []
    others: list[tuple[str, Size]] = [("model.norm", (hidden,))]
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        linears += [Linear(prefix + name, d_in, d_out) for name, d_in, d_out, _ in parts]
        others += [(f"{prefix}{name}.bias", (d_out,)) for name, _, d_out, bias in parts if bias]
        others += [(f"{prefix}norm_{n}", (hidden,)) for n in range(known.norms)]
        if known.head_norms:
            others += [(f"{prefix}self_attn.{name}_norm", (width,)) for name in "qk"]
    return Shape(
        family=family,
        hidden=hidden,
        layers=layers,
        vocabulary=vocabulary,
        heads=heads,
        linears=tuple(linears),
        embeddings=(("model.embed_tokens", (vocabulary, hidden)),),
        head="lm_head",
        tied=bool(config.get("tie_word_embeddings", known.tied)),
        others=tuple(others),
        block=Block(queries, keys, intermediate, known.norms, known.head_norms),
    )


def _from_headers(family: str, config: dict[str, Any], folder: Path) -> Shape:
    """Two-dimensional weights are linear layers, unless they have a row for each token or position."""
    sizes = dict(_headers(folder))
    text = config.get("text_config") or config
    vocabulary = text.get("vocab_size")
    if not isinstance(vocabulary, int) or not sizes:
        hint = "it comes with the weights: fetch the model first" if not sizes else ""
        raise fault(f"no forecast for the architecture {family or '(unnamed)'!r}", folder, hint)
    linears: list[Linear] = []
    embeddings: list[tuple[str, Size]] = []
    others: list[tuple[str, Size]] = []
    head = ""
    for tensor, size in sizes.items():
        name = tensor.removesuffix(".weight")
        if len(size) != 2 or name == tensor:
            others.append((name, size))
        elif _EMBEDDINGS.search(name.rpartition(".")[2]):
            embeddings.append((name, size))
        elif size[0] == vocabulary:
            head = name
        else:
            linears.append(Linear(name, size[1], size[0]))
    embeddings.sort(key=lambda each: each[1][0] != vocabulary)
    if not embeddings:
        raise fault("no embeddings among the weights", folder, "is it a causal language model?")
    numbers = [int(found[1]) for each in linears if (found := _LAYER.search(each.name))]
    return Shape(
        family=family,
        hidden=embeddings[0][1][1],
        layers=max(numbers, default=0) + 1,
        vocabulary=embeddings[0][1][0],
        heads=int(text.get("num_attention_heads") or text.get("n_head") or 1),
        linears=tuple(linears),
        embeddings=tuple(embeddings),
        head=head,
        tied=not head,
        others=tuple(others),
        block=None,
    )


def _headers(folder: Path) -> Iterator[tuple[str, Size]]:
    """Name and size of every tensor."""
    for file in sorted(folder.glob("*.safetensors")):
        try:
            _, header = safetensors_header(file)
            for name, entry in header.items():
                if name != "__metadata__":
                    yield name, tuple(map(int, entry["shape"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise fault(f"its header cannot be read: {error}", file) from error
