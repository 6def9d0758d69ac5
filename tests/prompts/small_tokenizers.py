"""Small tokenizers of three families, built in a second: a base model's folder without its weights."""

import json
from pathlib import Path
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SPECIALS = [
    "<unk>",
    "<s>",
    "</s>",
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<start_of_turn>",
    "<end_of_turn>",
]
CORPUS = [
    "The quick brown fox jumps over the lazy dog. What is the capital of France? Paris is.",
    "สวัสดีครับ ผมชื่อสมชาย ภาษาไทยไม่เว้นวรรค",
    "Xin chào, tôi tên là Nguyễn. Trường đại học ở Hà Nội.",
    "翻譯成文言文：你好嗎？ 曰：「可乎？」",
    "USER: ASSISTANT: [INST] [/INST] ### Instruction:\n### Response:\nuser\nassistant\nsystem\n\n",
    "🙂🎉 <<SYS>> <</SYS>>",
] * 4


def write(folder: Path, tokenizer: Tokenizer, config: dict[str, Any], template: str | None = None) -> Path:
    """Write a model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    shown = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False} | config
    (folder / "tokenizer_config.json").write_text(json.dumps(shown), "utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}), "utf-8")
    if template is not None:
        (folder / "chat_template.jinja").write_text(template, "utf-8")
    return folder


def byte_level(trim_offsets: bool = False) -> Tokenizer:
    """As Qwen, and with `trim_offsets` as Llama 3: every byte has a token, nothing is lost."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def llama() -> Tokenizer:
    """As Llama 2: a blank put before every stretch of text, bytes for unknown characters, `<s>` put first."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    bytes_ = [f"<0x{n:02X}>" for n in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=520, special_tokens=[*SPECIALS, *bytes_], show_progress=False)
    tokenizer.train_from_iterator([line.replace(" ", "▁") for line in CORPUS[:2]], trainer)
    definition = json.loads(tokenizer.to_str())
    for token in definition["added_tokens"]:
        token["special"] = not token["content"].startswith("<0x")
    definition["added_tokens"] = [t for t in definition["added_tokens"] if t["special"]]
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def word_piece() -> Tokenizer:
    """As BERT: lower case, words and pieces; blanks and unknown words are lost."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Split(Regex("\n"), "isolated")]
    )
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=SPECIALS, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIALS])
    return tokenizer


NAMES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
