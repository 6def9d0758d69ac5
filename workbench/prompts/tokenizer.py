"""The base model's fast tokenizer, without transformers: text to ids and character spans, and back.

`tokenizer.json` is read as it is. No special tokens are ever added here: the chat template alone writes
them, so that a base model whose post-processor puts a `<s>` in front cannot double it.
"""

import codecs
import json
import re
from array import array
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import tokenizers

from workbench.errors import fault
from workbench.project.weights import is_pointer
from workbench.prompts.encoding.id_rows import BEGINS, IdRows, id_rows
from workbench.prompts.encoding.pieces import Pieces, pieces_of
from workbench.prompts.encoding.widths import Widths, widths_of

NAMED_SPECIALS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
BYTES_HANDLER = "workbench.bytes"
TEMPLATE_FILE = "chat_template.jinja"
FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
)
"""What a folder may hold of a tokenizer."""


class Tokenizer:
    """A fast tokenizer with the special tokens and the chat template of its folder.

    Attributes:
        folder: the base model's folder.
        special: name to text of the special tokens that the folder names, such as ``{"eos_token": "</s>"}``.
        special_ids: ids of all tokens marked special in the vocabulary.
        chat_template: the folder's own Jinja template, None when it has none.
        template_file: the file that `chat_template` was read from.
        added: tokens that were put after the vocabulary because a project asks for them.
        adds_bos: encoding text on its own would put the bos token first (what the base model saw in
        pre-training).
        disputed: AutoTokenizer of transformers 5 reads the folder otherwise than its tokenizer.json says.
    """

    def __init__(
        self,
        folder: Path,
        backend: "tokenizers.Tokenizer",
        config: dict[str, Any],
        added: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.added = tuple(added)
        self.special = {
            name: text for name in NAMED_SPECIALS if (text := _content(config.get(name))) is not None
        }
        self._backend = backend
        backend.no_padding()
        backend.no_truncation()
        bos = self.id("bos_token")
        self.adds_bos = bos is not None and backend.encode("").ids[:1] == [bos]
        # Without special tokens a post-processor does one thing only: it trims blanks off the spans. The
        # spans must tile the text, or a blank that a token swallows at the edge of an answer goes unseen.
        backend.post_processor = None
        marked = {i for i, token in backend.get_added_tokens_decoder().items() if token.special}
        self.special_ids = frozenset(
            marked | {i for name in self.special if (i := self.id(name)) is not None}
        )
        definition = json.loads(backend.to_str())
        self.disputed = _disputed(definition, config)
        self._bytes = _byte_level(definition)
        self._definition = definition
        self.chat_template, self.template_file = _chat_template(folder, config)

    def id(self, name: str) -> int | None:
        """The id of a special token such as ``"eos_token"``; None when the vocabulary has none."""
        text = self.special.get(name)
        return None if text is None else self._backend.token_to_id(text)

    @property
    def size(self) -> int:
        """One more than the highest id."""
        return max(self._backend.get_vocab().values(), default=-1) + 1

    @cached_property
    def bos_id(self) -> int | None:
        """The id that begins a text."""
        return self.id("bos_token")

    @cached_property
    def eos_id(self) -> int | None:
        """The id that ends a text."""
        return self.id("eos_token")

    def encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids (length T) and the half-open character range of each in `text`; no special tokens are added.

        A token that holds part of a character spans the whole of it. Raises WorkbenchError for a lone
        surrogate.
        """
        try:
            encoding = self._backend.encode(text, add_special_tokens=False)
        except TypeError:
            at = next((i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff"), 0)
            raise fault(f"half of a surrogate pair at character {at}: not valid text") from None
        return encoding.ids, encoding.offsets

    def encode_batch(self, texts: Sequence[str]) -> IdRows:
        """The ids of each text, as `encode` gives them, without the ranges. Texts may hold seals of `pieces`.

        Raises WorkbenchError for a lone surrogate.
        """
        try:
            if self.pieces is not None:
                return self.pieces.encode(texts)
            encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        except TypeError:
            raise fault("half of a surrogate pair: not valid text") from None
        return id_rows(b"".join(BEGINS + array("i", encoding.ids).tobytes() for encoding in encodings))

    @cached_property
    def pieces(self) -> Pieces | None:
        """Tokenises by pieces; None where it is not certain that a text may be cut."""
        if self.widths is None:
            return None
        return pieces_of(self._backend, self._definition, self.widths.prepends, self._bytes is not None)

    @cached_property
    def widths(self) -> Widths | None:
        """How many bytes of text each id stands for; None for a vocabulary that does not tell."""
        return widths_of(self._definition, self._bytes, self._backend.get_added_tokens_decoder())

    def definition(self) -> str:
        """The folder's tokenizer.json with the added tokens in it; all else stays as it is."""
        whole = json.loads(_read(self.folder / "tokenizer.json"))
        whole["added_tokens"] = self._definition["added_tokens"]
        return json.dumps(whole, ensure_ascii=False)

    def decode(self, ids: Sequence[int], skip_special: bool = False) -> str:
        """The text of `ids`; a character that is not complete becomes U+FFFD."""
        return str(self._backend.decode(list(ids), skip_special_tokens=skip_special))

    def token(self, index: int) -> str:
        """One token as shown to a person: its text, with bytes that are no whole character as ``<0xE0>``."""
        text = self._backend.id_to_token(index)
        if text is None:
            return f"<{index}?>"
        if index in self._added:
            return str(text)
        if self._bytes is None:
            return str(text).replace("▁", " ")
        raw = b"".join(
            bytes((self._bytes[c],)) if c in self._bytes else c.encode("utf-8", "surrogatepass") for c in text
        )
        return raw.decode("utf-8", BYTES_HANDLER)

    @cached_property
    def specials_pattern(self) -> re.Pattern[str]:
        """Matches the text of any special token, the longest first; never matches when there is none."""
        texts = sorted(self.special_texts, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, texts)) or "(?!)")

    @cached_property
    def special_texts(self) -> frozenset[str]:
        """The text of every special token."""
        return frozenset(str(self._backend.id_to_token(i)) for i in self.special_ids)

    @cached_property
    def _added(self) -> frozenset[int]:
        return frozenset(self._backend.get_added_tokens_decoder())


def load_tokenizer(folder: Path, extra: Sequence[str] = ()) -> Tokenizer:
    """The tokenizer of a model folder.

    Args:
        folder: holds tokenizer.json.
        extra: special tokens that get an id after the vocabulary, in order, unless they are in it already.

    Raises WorkbenchError: no `tokenizer.json`, a file that is broken or a git-lfs pointer.
    """
    file = folder / "tokenizer.json"
    if not file.is_file():
        slow = next(
            (n for n in ("tokenizer.model", "spiece.model", "vocab.json") if (folder / n).is_file()), None
        )
        found = f" (there is {slow})" if slow else ""
        raise fault(
            f"no tokenizer.json{found}",
            folder,
            "only fast tokenizers are supported; "
            "AutoTokenizer.from_pretrained(...).save_pretrained(...) of transformers writes the file",
        )
    text = _read(file)
    if is_pointer(file):
        raise fault("a git-lfs pointer, not the file itself", file, "run `git lfs pull`")
    try:
        backend = tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # the Rust side raises bare Exception
        raise fault(f"not a tokenizer: {error}", file) from None
    config = _json(folder / "special_tokens_map.json") | _json(folder / "tokenizer_config.json")
    _add_missing(backend, config.get("added_tokens_decoder"))
    added = [text for text in dict.fromkeys(extra) if backend.token_to_id(text) is None]
    backend.add_special_tokens([tokenizers.AddedToken(text, normalized=False) for text in extra])
    return Tokenizer(folder, backend, config, added)


def _add_missing(backend: "tokenizers.Tokenizer", listed: object) -> None:
    """Add the tokens that only tokenizer_config.json knows, where their ids follow the vocabulary's."""
    if not isinstance(listed, dict):
        return
    for index, entry in sorted(
        ((int(i), e) for i, e in listed.items() if str(i).isdigit()), key=lambda x: x[0]
    ):
        text = _content(entry)
        if text is None or backend.token_to_id(text) is not None or index != backend.get_vocab_size():
            continue
        flags = {k: bool(entry.get(k)) for k in ("lstrip", "rstrip", "normalized", "single_word", "special")}
        add = backend.add_special_tokens if flags["special"] else backend.add_tokens
        add([tokenizers.AddedToken(text, **flags)])


def _chat_template(folder: Path, config: dict[str, Any]) -> tuple[str | None, Path]:
    """The folder's template and its file: chat_template.jinja, chat_template.json, or in the config."""
    file = folder / TEMPLATE_FILE
    if file.is_file():
        return _read(file), file
    file = folder / "chat_template.json"
    found: Any = _json(file).get("chat_template")
    if found is None:
        file, found = folder / "tokenizer_config.json", config.get("chat_template")
    if isinstance(found, list):  # several named ones: [{"name": "default", "template": "..."}]
        found = {entry["name"]: entry["template"] for entry in found if isinstance(entry, dict)}
    if isinstance(found, dict):
        found = found.get("default") or next(iter(found.values()), None)
    return (found if isinstance(found, str) and found.strip() else None), file


def _content(value: Any) -> str | None:
    """A token of a config: text, or a table with `content`."""
    value = value.get("content") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fault(f"cannot be read: {error}", file) from None


def _json(file: Path) -> dict[str, Any]:
    """The object of a JSON file, empty when there is no file."""
    if not file.is_file():
        return {}
    try:
        value = json.loads(_read(file))
    except json.JSONDecodeError as error:
        raise fault(f"not JSON: {error.msg}", f"{file}:{error.lineno}") from None
    if not isinstance(value, dict):
        raise fault("not a JSON object", file)
    return value


def _disputed(definition: dict[str, Any], config: dict[str, Any]) -> bool:
    """A Llama tokenizer whose tokenizer.json puts a blank before every stretch of text, while its config says
    ``legacy = false``: AutoTokenizer of transformers 5 builds one that puts it before the first alone."""
    llama = str(config.get("tokenizer_class")).removesuffix("Fast") == "LlamaTokenizer"
    return llama and config.get("legacy") is False and '"Prepend"' in json.dumps(definition.get("normalizer"))


def _byte_level(definition: dict[str, Any]) -> dict[str, int] | None:
    """Character to byte of a byte-level vocabulary, None for a vocabulary of another sort.

    The alphabet is GPT-2's: printable Latin-1 bytes stand for themselves, the rest follow from U+0100
    (openai/gpt-2, src/encoder.py, bytes_to_unicode).
    """
    if '"ByteLevel"' not in json.dumps([definition.get("pre_tokenizer"), definition.get("decoder")]):
        return None
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    return alphabet | {chr(256 + n): byte for n, byte in enumerate(others)}


def _show_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"<0x{byte:02X}>" for byte in error.object[error.start : error.end]), error.end


codecs.register_error(BYTES_HANDLER, _show_bytes)
