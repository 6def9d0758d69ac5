"""Make data/*.json in the form of the course's files: python make_data.py. Seeded; all sentences are ours.

`pairs.tsv` and `tests.tsv` hold hand-written pairs, classical and modern, one a line; a small grammar adds
some. The faults are those of the original, in its proportions where a set this small allows it.
"""

import json
import random
import uuid
from pathlib import Path

HERE = Path(__file__).parent
SEED = 2023
FROM_GRAMMAR = 64
PUBLIC = 20
"""Pairs of tests.tsv with an answer; the others are the private set, which has none."""

TO_CLASSICAL = (
    "翻譯成文言文：",
    "把這句話翻譯成文言文：",
    "幫我把這句話翻譯成文言文",
    "翻譯成古文：",
    "將下麵句子翻譯成文言文：",
    "這句話在古代怎麼說：",
    "這句話在中國古代怎麼說：",
)
TO_MODERN = (
    "翻譯成現代文：",
    "文言文翻譯：",
    "翻譯成白話文：",
    "將下麵句子翻譯成現代文：",
    "幫我把這句話翻譯成現代文",
    "把這句話翻譯成現代文。",
)
ANSWER = "答案："

PERSONS = [("我", "吾"), ("你", "汝"), ("他", "彼")]
THINGS = [
    ("書", "書"),
    ("船", "舟"),
    ("月亮", "月"),
    ("老師", "師"),
    ("朋友", "友"),
    ("房子", "屋"),
    ("馬", "馬"),
]
PATTERNS = [
    ("{p}沒有{t}。", "{q}無{u}。"),
    ("{p}喜歡{t}。", "{q}好{u}。"),
    ("{p}想要{t}。", "{q}欲得{u}。"),
    ("{p}的{t}在哪裡？", "{q}之{u}安在？"),
    ("這是{p}的{t}。", "此{q}之{u}也。"),
    ("{p}看見{t}了。", "{q}見{u}矣。"),
]


def rows(rng: random.Random) -> dict[str, list[dict[str, str]]]:
    """File name to rows."""
    train = read("pairs.tsv") + from_grammar(rng)
    rng.shuffle(train)
    tests = read("tests.tsv")
    files = {
        "train.json": [row(rng, pair) for pair in train],
        "public_test.json": [row(rng, pair) for pair in tests[:PUBLIC]],
        "private_test.json": [row(rng, pair) for pair in tests[PUBLIC:]],
    }
    add_faults(rng, files)
    for each in files["private_test.json"]:
        del each["output"]
    return files


def read(name: str) -> list[tuple[str, str]]:
    """Pairs of classical and modern."""
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [(classical, modern) for classical, modern in (line.split("\t") for line in lines)]


def from_grammar(rng: random.Random) -> list[tuple[str, str]]:
    every = [
        (classical.format(q=q, u=u), modern.format(p=p, t=t))
        for modern, classical in PATTERNS
        for p, q in PERSONS
        for t, u in THINGS
    ]
    return rng.sample(every, FROM_GRAMMAR)


def row(rng: random.Random, pair: tuple[str, str]) -> dict[str, str]:
    """One direction of the pair; the directive stands before the sentence, or after it."""
    classical, modern = pair
    source, target, directives = (
        (modern, classical, TO_CLASSICAL) if rng.random() < 0.52 else (classical, modern, TO_MODERN)
    )
    directive = rng.choice(directives)
    # Those without a colon stand behind the sentence
    parts = [directive, source] if directive.endswith("：") and rng.random() < 0.7 else [source, directive]
    if rng.random() < 0.1:
        parts.append(ANSWER)
    name = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return {"id": name, "instruction": "\n".join(parts), "output": target}


def add_faults(rng: random.Random, files: dict[str, list[dict[str, str]]]) -> None:
    """Those that were counted in the course's files."""
    train, public = files["train.json"], files["public_test.json"]
    asked = [each for each in train if "文言文翻譯" in each["instruction"]]
    for each in asked[:8] + [each for each in public if "文言文翻譯" in each["instruction"]][:1]:
        each["output"] = ANSWER + each["output"]  # 519 answers begin with the word for answer
    plain = [each for each in train if not each["output"].startswith(ANSWER)]
    for each in rng.sample(plain, 3):
        each["output"] = " " + each["output"]
    for each in plain:  # simplified characters turned back into the wrong traditional ones
        if "出" in each["output"]:
            each["output"] = each["output"].replace("出", "齣")
    for each in [each for each in plain if "了" in each["output"]][::4]:
        each["output"] = each["output"].replace("了", "瞭", 1)
    for each in rng.sample(plain, 2):  # a character outside Unicode, missing on the other side of the pair
        each["instruction"] = each["instruction"].replace("\n", "\n\ue1ef", 1)
    train.append(dict(train[3], id=str(uuid.UUID(int=rng.getrandbits(128), version=4))))


if __name__ == "__main__":
    for name, content in rows(random.Random(SEED)).items():
        text = json.dumps(content, ensure_ascii=False, indent=2)
        (HERE / "data" / name).write_text(text + "\n", encoding="utf-8", newline="\n")
