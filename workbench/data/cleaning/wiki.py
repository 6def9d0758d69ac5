"""What stays behind when Wikipedia articles become plain text: headings, lists of links, redirect stubs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.data.cleaning.code import outside_fences

_TITLES = (
    # English
    "External links|External link|See also|References|Further reading|Notes|Notes and references|Footnotes|"
    "Citations|Bibliography|Sources|Works cited|Explanatory notes|"
    # Thai
    "แหล่งข้อมูลอื่น|แหล่งข้อมูล|แหล่งอ้างอิง|อ้างอิง|รายการอ้างอิง|ดูเพิ่ม|ดูเพิ่มเติม|เชิงอรรถ|หมายเหตุ|บรรณานุกรม|"
    "หนังสืออ่านเพิ่มเติม|อ่านเพิ่มเติม|ลิงก์ภายนอก|เว็บไซต์ที่เกี่ยวข้อง|หมายเหตุและอ้างอิง|เชิงอรรถและอ้างอิง|"
    # Vietnamese
    "Liên kết ngoài|Tham khảo|Xem thêm|Chú thích|Ghi chú|Thư mục|Đọc thêm|Nguồn|Tài liệu tham khảo|"
    "Chú thích và tham khảo|Nguồn tham khảo|"
    # Chinese
    "外部連結|外部链接|外部連接|外部連絡|外部鏈接|參考文獻|参考文献|參考資料|参考资料|參考|参考|參見|参见|參看|参看|另見|另见|"
    "註釋|注释|註解|注解|附註|附注|注釋|腳註|脚注|備註|备注|延伸閱讀|延伸阅读|擴展閱讀|扩展阅读|相關條目|相关条目|來源|来源|"
    "資料來源|资料来源|參考來源|参考来源|注释和参考文献|引用|"
    # German
    "Weblinks|Weblink|Einzelnachweise|Siehe auch|Literatur|Quellen|Anmerkungen|Fußnoten|Belege|"
    "Anmerkungen und Einzelnachweise"
)
_TAILS = frozenset(title.casefold() for title in _TITLES.split("|"))
_HEADING = re.compile(r"^[ \t]*==[^\n]*==[ \t]*(?:\n|\Z)", re.M)

_CATEGORY = "Category|หมวดหมู่|Thể loại|分類|分类|Kategorie"
_MEDIA = "File|Image|Media|ไฟล์|ภาพ|Tập tin|Hình|檔案|文件|图像|圖像|Datei|Bild"
_URL = r"(?:https?://|www\.)[^\s\[\]]+"
_BULLET = r"[ \t]*[*•·-]+[ \t]*"
_URL_LINES = re.compile(rf"^{_BULLET}\[?{_URL}\]?[ \t]*(?:\n|\Z)", re.M)
_FILED = re.compile(
    rf"[ \t]*(?:\[\[)?(?:{_CATEGORY})[ \t]*[:：].*|[ \t]*\[\[[a-z]{{2,3}}(?:-[a-z]+)*:[^\]]*\]\][ \t]*", re.I
)
_HIDDEN = re.compile(
    rf"\[\[[ \t]*(?:{_CATEGORY}|{_MEDIA})[ \t]*[:：](?:[^\[\]]|\[\[[^\[\]]*\]\])*\]\]\n?", re.I
)
_LINK = re.compile(r"\[\[(?=:?[^\W\d_])([^\[\]{}|\n\"'=<>]+)(?:\|([^\[\]{}|\n]*))?\]\]")
_OUTSIDE_LINK = re.compile(rf"\[{_URL}[ \t]+([^\[\]\n]+)\](?!\()")

_REDIRECT = "redirect|เปลี่ยนทาง|đổi|重定向|重新導向|重新导向|weiterleitung"
_MARKED_STUB = re.compile(rf"[#＃]\s*(?:{_REDIRECT})(?!\w)", re.I)
_BARE_STUB = re.compile(r"(?:redirect|REDIRECT|เปลี่ยนทาง|重定向|重新導向|重新导向)(?:\s*[:：]\s*|\s+)(.+)")
_STUB_WORDS, _STUB_CHARACTERS = 6, 100


def wiki_headings(text: str) -> str:
    """Lines such as `== History ==` go; fenced blocks stay. List it after `wiki_links`, which needs them."""
    return outside_fences(_without_headings, text) if "==" in text else text


def wiki_links(text: str) -> str:
    """The link lists at an article's end go, and links in its text become words.

    What goes: sections at the end that are called External links, See also, References and the like (English,
    Thai, Vietnamese, Chinese, German); below that lines of categories and other languages where the text has
    wiki marks at all; bullets that hold only an address; pictures. `[[Target|word]]` becomes `word`.
    """
    if "==" in text:
        text = _without_tail(text)
    if "==" in text or "[[" in text:
        text = _without_last_lines(text)
    if "[[" in text:
        text = outside_fences(_unlinked, text)
    if "://" in text or "www." in text:
        text = outside_fences(_without_addresses, text)
    return text


def is_redirect(text: str) -> bool:
    """`redirect ผำ`, `#REDIRECT [[X]]`, `#เปลี่ยนทาง [[X]]`: a title's other spelling instead of an article.

    Without the number sign a stub is one short line without a full stop, its first word not capitalised:
    "Redirect the user to the login page." is an answer.
    """
    start = text[: 2 * _STUB_CHARACTERS].strip()
    if _MARKED_STUB.match(start):
        return True
    found = _BARE_STUB.fullmatch(start)
    if not found or len(text.strip()) > _STUB_CHARACTERS:
        return False
    return len(found[1].split()) <= _STUB_WORDS and not found[1].endswith((".", "!", "?", "。"))


@dataclass(frozen=True, slots=True)
class _Heading:
    start: int
    end: int
    level: int
    title: str


def _headings(text: str) -> Iterator[_Heading]:
    """Lines between two to six equals signs, as many before as behind."""
    for found in _HEADING.finditer(text):
        line = found[0].strip()
        title = line.strip("=")
        level = len(line) - len(line.lstrip("="))
        if title.strip() and 2 <= level <= 6 and level == len(line) - len(line.rstrip("=")):
            yield _Heading(found.start(), found.end(), level, title.strip(" \t:：'"))


def _without_headings(text: str) -> str:
    parts, end = [], 0
    for heading in _headings(text):
        parts.append(text[end : heading.start])
        end = heading.end
    return "".join([*parts, text[end:]])


def _without_tail(text: str) -> str:
    """Cut at the first heading from which on all of its level or above are titles of tails."""
    cut: _Heading | None = None
    for heading in _headings(text):
        if heading.title.casefold() in _TAILS:
            cut = cut or heading
        elif cut and heading.level <= cut.level:
            cut = None
    return text[: cut.start].rstrip() if cut else text


def _unlinked(text: str) -> str:
    text = _HIDDEN.sub("", text)
    return _LINK.sub(lambda link: link[2] or link[1].removeprefix(":"), text)


def _without_addresses(text: str) -> str:
    return _OUTSIDE_LINK.sub(r"\1", _URL_LINES.sub("", text))


def _without_last_lines(text: str) -> str:
    """Without lines at the end that only file the article somewhere."""
    end = kept = len(text)
    while end:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end]
        if _FILED.fullmatch(line):
            kept = start
        elif line.strip():
            break
        end = max(start - 1, 0)
    return text if kept == len(text) else text[:kept].rstrip()
