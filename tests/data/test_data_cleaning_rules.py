"""Each built-in rule: what it changes, what it leaves alone, and that clean text stays as it is."""

import time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.cleaning import Cleaner
from workbench.data.example import Example, Message, Origin, Rejected
from workbench.project.source import CleaningName

NAMES = get_args(CleaningName)
PIECES = st.sampled_from(
    [
        *"ab \n\t`\\~=<>&;[]|#*-'\"/:!.1",
        *("\\n", "\\t", "\\r\\n", "```", "~~~\n", "\n```py\n", "\n", "  ", "\u3000", "\u00a0", "\ufeff"),
        *("<p>", "</p>", "<br/>", "<b>", "</b>", "<li>", "<td>", "<pre>", "</pre>", "<code>", "</code>"),
        *("<!--", "-->", "<script>", "</script>", "&amp;", "&lt;", "&gt;", "&#38;", "&nbsp;", "<a href=x>"),
        *(
            "== a ==\n",
            "\n== See also ==\n",
            "\n=== b ===\n",
            "[[",
            "]]",
            "[[A|b]]",
            "[[File:x]]",
            "http://a.b ",
        ),
        *("[[Category:x]]", "* http://a\n", "[http://a b]", "redirect ", "#REDIRECT ", "\nCategory: x"),
        *(
            "C:\\new",
            "\\nabla",
            "\\d+",
            "e\u0301",
            "\u0958",
            "\ue000",
            "ผำ",
            "เมือง",
            "詔可。",
            "Việt",
            "\ufdd0",
            "\ufdd3",
        ),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=24).map("".join), st.text(max_size=60))


def cleaned(text: str, *rules: CleaningName) -> str | Rejected:
    """What becomes of `text` as an answer."""
    made = Cleaner(rules).clean(Example((Message("user", "Why?"), Message("assistant", text)), Origin(0, 3)))
    return made if isinstance(made, Rejected) else made.messages[1].content


@given(text=TEXTS, rules=st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
def test_what_is_clean_stays_as_it_is(text: str, rules: list[CleaningName]) -> None:
    once = cleaned(text, *rules)
    if isinstance(once, str):
        assert cleaned(once, *rules) == once


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_plain_words_are_left_alone(name: CleaningName, text: str) -> None:
    assert cleaned(text, name) == text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "<!--",
            "<code>",
            "<pre>\n",
            "<a ",
            "<a x=1 ",
            "<script>",
            "&amp;",
            "<<b",
            "x<b>",
            "\u0301\u0323",
            "x<b>x<i>x<u>x<q>",
            "[[File:",
            "[http://a",
            "www.",
            "==",
            "== ",
        ),
        *(
            "`",
            "```\n",
            "~~~",
            "\\n",
            "C:\\",
            "[\\n",
            "\\\\a",
            " ",
            "\n",
            "\ufdd0 ",
            "redirect ",
            "\n== See also ==",
            "* www.a ",
            "# ",
        ),
    ],
)
def test_no_text_takes_long(name: CleaningName, unit: str) -> None:
    """A hundred thousand of anything: a rule whose time grows with the square takes minutes here."""
    for text in (unit * 100_000, "x" + unit * 100_000 + "y"):
        begin = time.perf_counter()
        cleaned(text, name)
        assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("a  b", "a b"),
        ("a \u3000\u00a0b", "a b"),
        ("a \t b", "a\tb"),
        ("a\tb", "a\tb"),
        ("  a\n\n    b  c", "  a\n\n    b c"),
        ("| a  | b |\nc  d", "| a  | b |\nc d"),
        ("line  \nbreak", "line  \nbreak"),
        ("x  y\n```\na  = 1\n```\nz  z", "x y\n```\na  = 1\n```\nz z"),
    ],
)
def test_spaces(text: str, becomes: str) -> None:
    assert cleaned(text, "spaces") == becomes


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (r" \n ดาราศาสตร์", " \n ดาราศาสตร์"),
        (r"one\ntwo\r\nthree\tfour", "one\ntwo\nthree\tfour"),
        (r"天\n地", "天\n地"),
        (r"Option A:\nYes", "Option A:\nYes"),
    ],
)
def test_literal_newlines(text: str, becomes: str) -> None:
    assert cleaned(text, "newlines") == becomes


@pytest.mark.parametrize(
    "text",
    [
        r"C:\new\table",
        r"in C:\Program Files\nodejs\npm.cmd",
        r"\\server\new\temp",
        r"$\nabla \times \theta \neq \nu$",
        r"\newline \textbf{x} \tau",
        r"match \d+\n with [^\n] or [\r\n]",
        r"already \\n doubled",
        r'print("\n") and split("\t")',
        r"the escape `\n` in code",
        '```\nprintf("a\\n");\n```',
        "~~~\na\\nb",
    ],
)
def test_backslashes_of_code_and_paths_stay(text: str) -> None:
    assert cleaned(text, "newlines") == text


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("<p>Hello <b>you</b></p>\n<p>there</p>", "Hello you\n\nthere"),
        ("one<br>two<BR/>three<br /><br />four", "one\ntwo\nthree\n\nfour"),
        ("<ul>\n<li>a</li>\n<li>b</li>\n</ul>", "- a\n- b"),
        ('<a href="http://x.y/?a=1" target=_blank>text</a>', "text"),
        ("<div class='a'><!-- <b>no</b> -->x<script>if (a<b) {}</script><style>p {}</style></div>", "x"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("AT&amp;T &copy; 2 &lt; 3 &#39;a&#x27;&nbsp;b", "AT&T © 2 < 3 'a' b"),
        ("<input disabled>x<img src=a.png>", "x"),
        (
            "Use <code>&lt;b&gt;</code>:<pre><code>if (a &lt; b) {\n}\n</code></pre>ok",
            "Use `<b>`:\n\n```\nif (a < b) {\n}\n```\n\nok",
        ),
    ],
)
def test_html(text: str, becomes: str) -> None:
    assert cleaned(text, "html") == becomes


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>user\nhi<|im_end|> <s>[INST] x [/INST] y</s> <pad> <unk> <think> <eos>",
        "if a < b and c > d, a<b, c>d, if a <b and c> d",
        "std::vector<int> v; Map<String, List<T>> m; Promise<object> p; x <- y -> z <= 3 <> 4",
        "write `<div>` or\n```html\n<p>x &amp; y</p>\n```",
        "the tag &lt;b&gt; makes bold",
        "the entity &amp;lt; is a sign",
        "http://x.y/?a=1&copy=2&lt=3",
        "I <3 you & me; mail <a@b.c>; 5 &notanentity; <3",
    ],
)
def test_what_only_looks_like_html_stays(text: str) -> None:
    assert cleaned(text, "html") == text


ARTICLE = "ดาราศาสตร์ คือวิชา\n== ประวัติ ==\nดาราศาสตร์นับเป็นวิชา"


@pytest.mark.parametrize(
    "tail",
    [
        "\n== ดูเพิ่ม ==\nกลุ่มดาว\nบันได\n== อ้างอิง ==\n== แหล่งข้อมูลอื่น ==\nเว็บไซต์ \nดูดาวดอตคอม",
        "\n== See also ==\n* Moon\n== References ==\n=== Books ===\n* A book\n== External links ==\n",
        "\n== Liên kết ngoài ==\n* http://a.vn",
        "\n==參考文獻==\n書\n== 外部連結 ==\n* [http://a.tw 網站]",
        "\n== Weblinks ==\n* Seite\n== Einzelnachweise ==\n",
        "\n[[Category:Stars]]\n[[de:Astronomie]]\n",
        "\nหมวดหมู่:ดาราศาสตร์\n\n",
    ],
)
def test_tails_of_articles_go(tail: str) -> None:
    assert cleaned(ARTICLE + tail, "wiki_links") == ARTICLE


def test_a_section_that_others_follow_stays() -> None:
    text = "a\n== Notes ==\nsome\n== Later life ==\nmore\n=== References ===\nkept with its section"
    assert cleaned(text, "wiki_links") == "a\n== Notes ==\nsome\n== Later life ==\nmore"
    assert (
        cleaned("See also the moon.\nReferences are good.", "wiki_links")
        == "See also the moon.\nReferences are good."
    )


def test_links_become_words() -> None:
    text = "The [[Moon]] and [[Sun|our star]], [http://a.b a page], [[File:a.png|thumb|The [[Moon]]]]end"
    assert cleaned(text, "wiki_links") == "The Moon and our star, a page, end"
    for code in ("if [[ -f x ]]; then", "a = [[1, 2], [3, 4]]", "x = [['a']]", "[a](http://b.c)"):
        assert cleaned(code, "wiki_links") == code


def test_bullets_of_addresses_go_and_other_addresses_stay() -> None:
    text = "a\n* https://a.b/c\n- [http://d.e]\nb"
    assert cleaned(text, "wiki_links") == "a\nb"
    for kept in ("What is this?\n\nhttps://a.b/c.jpg", "www.a.b", "Category: food", "It is\nCategory: food"):
        assert cleaned(kept, "wiki_links") == kept


def test_headings() -> None:
    assert cleaned(ARTICLE, "wiki_headings") == "ดาราศาสตร์ คือวิชา\nดาราศาสตร์นับเป็นวิชา"
    for kept in ("a == b", "== a", "==", "====", "= x =", "```\n== a ==\n```", "== a ==="):
        assert cleaned(kept, "wiki_headings") == kept


@pytest.mark.parametrize(
    "stub",
    [
        "redirect ผำ",
        " REDIRECT Moon",
        "#REDIRECT [[Moon]]",
        "#เปลี่ยนทาง [[ผำ]]",
        "# redirect: Moon",
        "#重定向 [[月球]]",
        "重定向 月球",
    ],
)
def test_redirect_stubs_are_left_out(stub: str) -> None:
    made = cleaned(stub, "redirects")
    assert isinstance(made, Rejected)
    assert (made.reason, made.detail, made.filtered) == ("redirect stub", stub.strip(), True)
    assert made.origin == Origin(0, 3)


@pytest.mark.parametrize(
    "answer",
    [
        "Redirect the user to the login page.",
        "redirect output with > file, as in a shell",
        "redirect a\nb",
        "redirecting",
        "# Redirects\n",
    ],
)
def test_answers_about_redirects_stay(answer: str) -> None:
    assert cleaned(answer, "redirects") == answer


def test_characters() -> None:
    assert cleaned(" \n a \u3000", "strip") == "a"
    assert cleaned("\ufeffa\ufeff b\ufeff", "bom") == "a b"
    assert cleaned("其\ue1ef曰\U000f0001\U00100000", "private_use") == "其曰"
    assert cleaned("Vie\u0323\u0302t", "nfc") == "Việt"
