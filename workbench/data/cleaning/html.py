"""HTML out of text that was scraped: tags go, what they enclose stays, entities become characters.

Only elements that HTML has count as tags, and only where their attributes are well formed: `<|im_end|>`,
`<s>`, `[INST]`, `vector<int>`, `if a <b and c> d` are text. Code between back ticks stays as it is.
"""

import html as entities
import re

from workbench.data.cleaning.code import outside_code

_BLOCKS = (
    "address article aside blockquote body caption center col colgroup dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav "
    "noscript ol optgroup option p pre script section select style summary table tbody template tfoot thead title "
    "tr ul"
).split()
_INLINE = (
    "a abbr acronym applet area audio b base basefont bdi bdo big blink button canvas cite code data datalist del "
    "dfn em embed font frame i iframe img input ins kbd label link map mark marquee meta meter nobr noframes object "
    "output param picture progress q rp rt ruby samp small source span strike strong sub sup svg td textarea th "
    "time track tt u var video wbr"
).split()
# <s> and </s> are tokens of most models: struck-out text keeps its marks
_VOID = frozenset(
    "area base basefont br col embed frame hr img input link meta param source track wbr".split()
)
_LOOSE = frozenset("p li dd dt td th tr option".split())
_ITEMS = frozenset("li dt dd tr option caption".split())
_PARAGRAPHS = frozenset(_BLOCKS) - _ITEMS

_VALUE = r"""(?:"[^"<>]*"|'[^'<>]*'|[^\s"'=<>`]+)"""
_BARE = "async|autoplay|checked|compact|controls|defer|disabled|hidden|itemscope|loop|multiple|muted|noshade|nowrap"
_BARE += "|open|readonly|required|reversed|selected"
_ATTRIBUTES = rf"(?:\s+(?:[A-Za-z_@:][\w:.@-]*\s*=\s*{_VALUE}|(?:{_BARE})(?=[\s/>])))*"
_NAMES = "|".join(sorted(["br", *_BLOCKS, *_INLINE], key=len, reverse=True))
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>{_NAMES})(?P<attributes>{_ATTRIBUTES})\s*/?>", re.I)
_UNSEEN = re.compile(
    r"<!--.*?-->|<!doctype\b[^<>]*>"
    rf"|<(?P<element>script|style){_ATTRIBUTES}\s*>.*?</(?P=element)\s*>",
    re.I | re.S,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BREAKS = re.compile("[ \t]*\n?[ \t]*[\ufdd0-\ufdd2](?:[ \t\n\ufdd0-\ufdd2]*[\ufdd0-\ufdd2])?[ \t]*\n?")
_LINE, _PARAGRAPH, _ITEM = _MARKS = "\ufdd0", "\ufdd1", "\ufdd2"
"""Noncharacters of Unicode, which no text may hold: what a `<br>`, a block, an item breaks before lines are merged."""


def html(text: str) -> str:
    """Tags, comments, scripts and styles go, `<br>` and blocks become line breaks, entities characters.

    `&lt;` and `&amp;` stay in a text where they would make new tags or entities: it speaks of HTML.
    """
    if "<" not in text and "&" not in text:
        return text
    return outside_code(_plain, text)


def _plain(text: str) -> str:
    if "<" in text:
        text = _without_tags(_UNSEEN.sub("", text))
    return _decoded(text) if "&" in text else text


def _without_tags(text: str) -> str:
    closed = {found["name"].lower() for found in _TAG.finditer(text) if found["close"]}

    def replaced(tag: re.Match[str]) -> str:
        name = tag["name"].lower()
        before = text[tag.start() - 1] if tag.start() else ""
        optional = name in _VOID or name in _LOOSE or name in closed or name in ("br", *_BLOCKS)
        if not optional and not tag["attributes"] and before.isidentifier():
            return tag[0]  # a type parameter, as in Promise<object>
        if name in ("td", "th"):
            return " " if tag["close"] else ""
        if name in _PARAGRAPHS:
            return _PARAGRAPH
        if name in _ITEMS:
            return f"{_ITEM}- " if name == "li" and not tag["close"] else _ITEM
        return _LINE if name == "br" else ""

    for mark in _MARKS:
        text = text.replace(mark, "")
    marked = _TAG.sub(replaced, text)
    if not any(mark in marked for mark in _MARKS):
        return marked
    broken = _BREAKS.sub(lambda run: _break(run[0]), marked)
    broken = broken.lstrip("\n") if marked.lstrip(" \t\n").startswith(_MARKS) else broken
    return broken.rstrip("\n") if marked.rstrip(" \t\n").endswith(_MARKS) else broken


def _break(run: str) -> str:
    if _PARAGRAPH in run:
        return "\n\n"
    return "\n" * max(1, min(2, run.count(_LINE)))


def _decoded(text: str) -> str:
    whole = _ENTITY.sub(lambda found: _character(found[0]), text)
    if not _ENTITY.search(whole) and not _TAG.search(whole) and not _UNSEEN.search(whole):
        return whole
    return _ENTITY.sub(
        lambda found: found[0] if _character(found[0]) in ("<", "&") else _character(found[0]), text
    )


def _character(entity: str) -> str:
    return entities.unescape(entity).replace("\u00a0", " ")
