"""Modern and classical Chinese: a small grammar of sentence pairs of our own making, in both directions."""

from __future__ import annotations

import random
from typing import NamedTuple

from workbench.engine.embedded.skill import Skill

PERSONS = (("我", "吾"), ("你", "汝"), ("他", "彼"))
THINGS = (
    ("書", "書"),
    ("酒", "酒"),
    ("月亮", "月"),
    ("花", "花"),
    ("馬", "馬"),
    ("船", "舟"),
    ("山", "山"),
    ("劍", "劍"),
    ("老師", "師"),
    ("朋友", "友"),
    ("父親", "父"),
    ("母親", "母"),
    ("孩子", "子"),
    ("房子", "屋"),
    ("道路", "道"),
    ("太陽", "日"),
)
PATTERNS = (
    ("{p}喜歡{t}。", "{q}好{u}。"),
    ("{p}沒有{t}。", "{q}無{u}。"),
    ("{p}有{t}。", "{q}有{u}。"),
    ("{p}看見{t}。", "{q}見{u}。"),
    ("{p}不知道{t}。", "{q}不知{u}。"),
    ("{p}想要{t}。", "{q}欲得{u}。"),
    ("{p}害怕{t}。", "{q}懼{u}。"),
    ("{p}的{t}在哪裡？", "{q}之{u}安在？"),
    ("這是{p}的{t}。", "此{q}之{u}也。"),
    ("{p}為什麼喜歡{t}？", "{q}何以好{u}？"),
)


class Classical(NamedTuple):
    """The two directions."""

    to_classical: Skill
    to_modern: Skill


def _pair(rng: random.Random) -> tuple[str, str]:
    modern, classical = rng.choice(PATTERNS)
    (p, q), (t, u) = rng.choice(PERSONS), rng.choice(THINGS)
    return modern.format(p=p, t=t), classical.format(q=q, u=u)


def _reversed(rng: random.Random) -> tuple[str, str]:
    modern, classical = _pair(rng)
    return classical, modern


CLASSICAL = Classical(
    Skill("classical", ("翻譯成文言文：{0}", "這句話在古代怎麼說：{0}"), "{1}", _pair),
    Skill("classical", ("翻譯成現代文：{0}", "翻譯成白話文：{0}"), "{1}", _reversed),
)
