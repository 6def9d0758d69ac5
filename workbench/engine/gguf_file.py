"""A GGUF file of a merged model: its shape, its vocabulary, its tensors, and that they are read back.

llama.cpp turns the halves of each attention head of a Llama into pairs, so that its rotary positions are next
to each other: the rows of query and key are put in that order (convert_hf_to_gguf.py, LlamaModel.permute).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from transformers import AutoConfig

from workbench.errors import fault
from workbench.exporting.gguf_support import ARCHITECTURES
from workbench.exporting.gguf_vocabulary import Vocabulary, vocabulary
from workbench.exporting.portable_template import without_marks
from workbench.prompts.encoding.encode import Encoder

_TYPES = {
    "fp32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "fp16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
_BLOCK = 32
"""Numbers that share a scale in q8_0; rows of another length stay in fp16."""


def write_gguf(
    folder: Path, file: Path, encoder: Encoder, template: str, dtype: str, name: str, begins: bool
) -> str:
    """Write the model in `folder` as `file`, and read it back.

    Args:
        folder: config.json and safetensors of a merged model.
        encoder: the run's.
        template: Jinja text of the exported template.
        dtype: of matrices; vectors stay in fp32.
        name: what the model is called.
        begins: prompts begin with the beginning-of-text token.

    Returns:
        What llama.cpp will do otherwise with its prompts; empty for nothing known.

    Raises:
        WorkbenchError: the architecture or its tokenizer is not covered, or the file is not read back the
            same.
    """
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    words = vocabulary(encoder.tokenizer, config.vocab_size)
    kind, file_type = _TYPES[dtype]
    writer = gguf.GGUFWriter(file, ARCHITECTURES[config.model_type])
    _add_shape(writer, config)
    writer.add_name(name)
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_vocabulary(writer, words, encoder, begins)
    writer.add_chat_template(without_marks(template))
    for tensor, values in _tensors(folder, config):
        stored = _type_of(values, kind)
        data = gguf.quants.quantize(values, stored)
        writer.add_tensor_info(tensor, data.shape, data.dtype, data.nbytes, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, values in _tensors(folder, config):
        writer.write_tensor_data(gguf.quants.quantize(values, _type_of(values, kind)))
    writer.close()
    _require_same(folder, file, config, kind)
    return words.remark


def _add_shape(writer: gguf.GGUFWriter, config: Any) -> None:
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _add_vocabulary(writer: gguf.GGUFWriter, words: Vocabulary, encoder: Encoder, begins: bool) -> None:
    tokenizer = encoder.tokenizer
    writer.add_tokenizer_model(words.model)
    writer.add_tokenizer_pre(words.cut)
    writer.add_token_list(words.tokens)
    writer.add_token_types(words.types)
    if words.model == "llama":
        writer.add_token_scores(words.scores)
        writer.add_add_space_prefix(words.blank_first)
    else:
        writer.add_token_merges(words.merges)
    named = {
        writer.add_bos_token_id: tokenizer.bos_id,
        writer.add_eos_token_id: tokenizer.eos_id,
        writer.add_unk_token_id: tokenizer.id("unk_token"),
        writer.add_pad_token_id: tokenizer.id("pad_token"),
        # What ends a turn where that is not what ends a text
        writer.add_eot_token_id: next((each for each in encoder.stop_ids if each != tokenizer.eos_id), None),
    }
    for add, index in named.items():
        if index is not None:
            add(index)
    writer.add_add_bos_token(begins)
    writer.add_add_eos_token(False)


def _tensors(folder: Path, config: Any) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Name and values of each tensor as llama.cpp knows them, in an order that stays the same."""
    kind = ARCHITECTURES[config.model_type]
    arch = next(each for each, name in gguf.MODEL_ARCH_NAMES.items() if name == kind)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            for name in sorted(opened.keys()):
                if name == "lm_head.weight" and config.tie_word_embeddings:
                    continue
                known = names.get_name(name, try_suffixes=(".weight", ".bias"))
                if known is None:
                    raise fault(f"no GGUF file: {name} has no name in llama.cpp's {kind}", "--as gguf")
                values = opened.get_tensor(name).to(torch.float32).numpy()
                yield known, _paired(values, name, config) if kind == "llama" else values


def _paired(values: NDArray[np.float32], name: str, config: Any) -> NDArray[np.float32]:
    """The rows of each head of query and key in llama.cpp's order."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(
        name.split(".")[-2], 0
    )
    if not heads:
        return values
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(values.shape))


def _type_of(values: NDArray[np.float32], kind: gguf.GGMLQuantizationType) -> gguf.GGMLQuantizationType:
    if values.ndim < 2:
        return gguf.GGMLQuantizationType.F32
    if kind == gguf.GGMLQuantizationType.Q8_0 and values.shape[-1] % _BLOCK:
        return gguf.GGMLQuantizationType.F16
    return kind


def _require_same(folder: Path, file: Path, config: Any, kind: gguf.GGMLQuantizationType) -> None:
    """Every tensor is in the file, with the bytes it was written with."""
    found = {tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors}
    count = 0
    for name, values in _tensors(folder, config):
        count += 1
        stored = gguf.quants.quantize(values, _type_of(values, kind))
        if name not in found or found[name].data.tobytes() != stored.tobytes():
            raise fault(f"the GGUF file is not read back as it was written: {name}", file.name)
    if count != len(found):
        raise fault(f"the GGUF file has {len(found)} tensors, {count} were written", file.name)
