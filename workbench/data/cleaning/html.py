"""HTML out of text that was scraped: tags go, what they enclose stays, entities become characters.

Only elements that HTML has count as tags, and only where their attributes are well formed: `<|im_end|>`,
`<s>`, `[INST]`, `vector<int>`, `if a <b and c> d` are text. What stands between back ticks stays,
and what stands in `<pre>` or `<code>` gets them.
"""

import re
from functools import lru_cache
from html import unescape
from html.entities import html5

from workbench.data.cleaning.code import outside_code

_PARAGRAPHS = (
    "address|article|aside|blockquote|body|center|details|dialog|dir|div|dl|fieldset|figcaption|figure|footer|"
    "form|h1|h2|h3|h4|h5|h6|head|header|hgroup|hr|html|legend|main|menu|nav|noscript|ol|p|pre|section|select|"
    "summary|table|tbody|template|tfoot|thead|title|ul"
)
_ITEMS = "caption|dd|dt|li|optgroup|option|tr"
_ALONE = (
    "area|base|basefont|col|colgroup|embed|frame|img|input|link|meta|param|script|source|style|td|th|track|"
    "wbr"
)
# <s> is a token of many models, so that text struck out with it keeps its marks
_PAIRED = (
    "a|abbr|acronym|applet|audio|b|bdi|bdo|big|blink|button|canvas|cite|code|data|datalist|del|dfn|em|font|"
    "frameset|i|iframe|ins|kbd|label|map|mark|marquee|meter|nobr|noframes|object|output|picture|progress|q|rp|"
    "rt|ruby|samp|small|span|strike|strong|sub|sup|svg|textarea|time|tt|u|var|video"
)
_MAYBE = re.compile("<[!/A-Za-z]|&[#A-Za-z]")
_VALUE = r"""(?:"[^"<>]*"|'[^'<>]*'|[^\s"'=<>`]+)"""
_SWITCH = (
    "async|autoplay|checked|compact|controls|defer|disabled|hidden|itemscope|loop|multiple|muted|noshade|nowrap|"
    "open|readonly|required|reversed|selected"
)
_ATTRIBUTES = rf"(?:\s+(?:[A-Za-z_@:][\w:.@-]*\s*=\s*{_VALUE}|(?:{_SWITCH})(?=[\s/>])))*"
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<attributes>{_ATTRIBUTES})\s*/?>", re.I)
_CODE_START = re.compile("<(?:pre|code)", re.I)
# None may hold its own beginning: else a text of many beginnings takes as many looks to its end
_UNSEEN = re.compile(
    r"<!--(?:(?!<!--).)*?-->|<!doctype\b[^<>]*>"
    rf"|<(?P<element>script|style){_ATTRIBUTES}\s*>(?:(?!<(?P=element)\b).)*?</(?P=element)\s*>",
    re.I | re.S,
)
_CODE = re.compile(
    rf"<(?P<element>pre|code){_ATTRIBUTES}\s*>(?P<code>(?:(?!<(?P=element)\b).)*?)</(?P=element)\s*>",
    re.I | re.S,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE, _ITEM, _PARAGRAPH, _PLACE = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
"""Noncharacters of Unicode: they mark breaks and pieces of code until all tags are gone."""
_OF_PAIRED = frozenset(_PAIRED.split("|"))
_INSTEAD = {
    name: mark
    for names, mark in (
        (_PARAGRAPHS, _PARAGRAPH),
        (_ITEMS, _ITEM),
        ("br", _LINE),
        (_ALONE, ""),
        (_PAIRED, ""),
    )
    for name in names.split("|")
}
"""Every element that counts as HTML, with what stands in its tags' place."""
_MARKS = re.compile(f"[{_LINE}-{_PLACE}]")
_HIDING = re.compile(f"<(?:!|script|style)|{_MARKS.pattern}", re.I)
_RUN = re.compile(f"[{_LINE}-{_PARAGRAPH}](?:[ \t\n{_LINE}-{_PARAGRAPH}]*[{_LINE}-{_PARAGRAPH}])?")


def html(text: str) -> str:
    """Tags, comments, scripts and styles go, `<br>` and blocks become line breaks, entities characters.

    `&lt;`, `&gt;`, `&amp;` stay in a text where they would make new tags or entities: it speaks of HTML. An
    inline tag without attributes that follows a letter and is never closed is a type: `Promise<object>`.
    """
    if not _MAYBE.search(text):
        return text
    plain = outside_code(_plain, text)
    return text if plain == text else plain.strip("\n")


def _plain(text: str) -> str:
    if "<" not in text:
        return _decoded(text)
    if _HIDING.search(text):
        text = _UNSEEN.sub("", _MARKS.sub("", text))
    pieces: list[str] = []

    def kept(code: re.Match[str]) -> str:
        inside = _TAG.sub(_in_code, code["code"])
        inside = _ENTITY.sub(lambda found: _character(found[0]), inside)
        block = code["element"].lower() == "pre" or "\n" in inside
        pieces.append(_fenced(inside) if block else _ticked(inside))
        return f"{_PARAGRAPH}{_PLACE}{_PARAGRAPH}" if block else _PLACE

    if _CODE_START.search(text):
        text = _CODE.sub(kept, text)
    plain = _decoded(_broken(_TAG.sub(_instead, text)))
    if not pieces:
        return plain
    rest = iter(pieces)
    return re.sub(_PLACE, lambda _: next(rest), plain)


def _has_tags(text: str) -> bool:
    return any(tag["name"].lower() in _INSTEAD for tag in _TAG.finditer(text))


def _in_code(tag: re.Match[str]) -> str:
    name = tag["name"].lower()
    return "\n" if name == "br" else "" if name in _INSTEAD else tag[0]


def _instead(tag: re.Match[str]) -> str:
    """What stands in a tag's place; marks stand where lines break."""
    close, name, attributes = tag.groups()
    name = name.lower()
    instead = _INSTEAD.get(name)
    if instead is None:
        return tag[0]
    if instead == _ITEM and name == "li" and not close:
        return f"{_ITEM}- "
    if close and name in ("td", "th"):
        return " "
    if not close and not attributes and name in _OF_PAIRED:
        before = tag.string[tag.start() - 1 : tag.start()]
        if (before.isalnum() or before == "_") and not _is_closed(name, tag.string):
            return tag[0]
    return instead


@lru_cache(8)
def _is_closed(name: str, text: str) -> bool:
    """Whether an element ends anywhere in a text; remembered for the text at hand, whose tags all ask."""
    return re.search(rf"</{name}\s*>", text, re.I) is not None


def _broken(text: str) -> str:
    """Marks with the white space around them become one line break, or an empty line."""
    if not _RUN.search(text):
        return text
    parts, end = [], 0
    for run in _RUN.finditer(text):
        before = text[end : run.start()].rstrip(" \t\n")
        parts += [before.lstrip(" \t\n") if end else before, _break(run[0])]
        end = run.end()
    return "".join([*parts, text[end:].lstrip(" \t\n")])


def _break(run: str) -> str:
    return "\n\n" if _PARAGRAPH in run or run.count(_LINE) > 1 else "\n"


def _fenced(code: str) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code.strip(chr(10)).rstrip()}\n{fence}" if code.strip() else ""


def _ticked(code: str) -> str:
    ticks = "``" if "`" in code else "`"
    return f"{ticks}{code}{ticks}" if code.strip() and "``" not in code else code


def _decoded(text: str) -> str:
    if "&" not in text:
        return text
    whole = _ENTITY.sub(lambda found: _character(found[0]), text)
    if not (_ENTITY.search(whole) or "<" in whole and (_has_tags(whole) or _UNSEEN.search(whole))):
        return whole
    return _ENTITY.sub(lambda found: _character(found[0], "<&>"), text)


def _character(entity: str, without: str = "") -> str:
    """What an entity stands for; itself where that is one of `without`."""
    if entity[1] != "#" and entity[1:] not in html5:
        return entity
    character = unescape(entity).replace("\u00a0", " ")
    return entity if character and character in without else character
