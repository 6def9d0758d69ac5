"""Make data/*.jsonl and imports/compiled_results.csv: python make_data.py. Seeded; all sentences are ours.

Forty conversations with a shop, each with its context and topic, as the original wrote its raw samples; a
held-out file in the older prompt/completion form; and a results file in the form that OpenAI's fine-tuning
gave back, whose curve is made up.
"""

import csv
import io
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SEED = 2206
CONVERSATIONS, HELD_OUT = 40, 30
SEPARATOR, STOP = "\n\n###\n\n", " END"
STEPS, BATCH, EVERY = 139, 4, 8
"""Of the results file: 139 steps of 4 examples, validated every 8 steps and at the last."""

THINGS = ("áo", "túi", "sách", "đèn", "ghế", "mũ", "bàn", "váy")
DRINKS = ("cà phê", "trà", "nước cam", "phở", "chè")
DEVICES = ("điện thoại", "đèn", "loa", "máy ảnh", "đồng hồ", "máy in", "bàn phím")
CITIES = ("Hà Nội", "Huế", "Đà Nẵng", "Cần Thơ", "Hải Phòng", "Nha Trang", "Đà Lạt")


@dataclass(frozen=True)
class Fact:
    """A sentence of the context, ways to ask, and the one right answer; `{0}` a thing, `{1}` a number."""

    topic: str
    told: str
    asks: tuple[str, ...]
    answer: str
    things: tuple[str, ...] = ("",)
    numbers: tuple[int, int, int] = (0, 0, 1)


FACTS = (
    Fact(
        "Giờ mở cửa",
        "Cửa hàng mở cửa lúc {1} giờ.",
        ("Mấy giờ cửa hàng mở cửa?", "Cửa hàng mở cửa lúc nào?", "Sáng mai mấy giờ bên mình mở cửa ạ?"),
        "Dạ, cửa hàng mở cửa lúc {1} giờ ạ.",
        numbers=(6, 11, 1),
    ),
    Fact(
        "Giờ mở cửa",
        "Cửa hàng đóng cửa lúc {1} giờ.",
        ("Mấy giờ cửa hàng đóng cửa?", "Cửa hàng đóng cửa lúc nào?", "Tối nay bên mình mở đến mấy giờ ạ?"),
        "Dạ, cửa hàng đóng cửa lúc {1} giờ ạ.",
        numbers=(18, 23, 1),
    ),
    Fact(
        "Giá cả",
        "{0} giá {1} nghìn đồng.",
        ("{0} giá bao nhiêu?", "Cho hỏi giá của {0}?", "Cho em hỏi {0} bao nhiêu tiền ạ?"),
        "Dạ, {0} giá {1} nghìn đồng ạ.",
        THINGS + DRINKS,
        (5, 99, 1),
    ),
    Fact(
        "Giao hàng",
        "Giao hàng mất {1} ngày.",
        ("Giao hàng mất bao lâu?", "Mấy ngày thì giao hàng?", "Đặt hôm nay thì bao lâu em nhận được hàng ạ?"),
        "Dạ, giao hàng mất {1} ngày ạ.",
        numbers=(2, 14, 1),
    ),
    Fact(
        "Giao hàng",
        "Phí giao hàng là {1} nghìn đồng.",
        ("Phí giao hàng là bao nhiêu?", "Tiền ship bao nhiêu vậy shop?", "Giao hàng có mất phí không ạ?"),
        "Dạ, phí giao hàng là {1} nghìn đồng ạ.",
        numbers=(3, 9, 5),
    ),
    Fact(
        "Ưu đãi",
        "Thành viên được giảm {1} phần trăm.",
        (
            "Thành viên được giảm bao nhiêu?",
            "Có giảm giá cho thành viên không?",
            "Làm thành viên thì được gì ạ?",
        ),
        "Dạ, thành viên được giảm {1} phần trăm ạ.",
        numbers=(1, 10, 5),
    ),
    Fact(
        "Bảo hành",
        "{0} được bảo hành {1} tháng.",
        ("{0} bảo hành mấy tháng?", "{0} được bảo hành bao lâu?", "Cho em hỏi {0} có bảo hành không ạ?"),
        "Dạ, {0} được bảo hành {1} tháng ạ.",
        DEVICES,
        (1, 8, 3),
    ),
    Fact(
        "Liên hệ",
        "Cửa hàng ở {0}.",
        ("Cửa hàng ở đâu?", "Cửa hàng ở thành phố nào?", "Cho em xin địa chỉ cửa hàng với ạ."),
        "Dạ, cửa hàng ở {0} ạ.",
        CITIES,
    ),
    Fact(
        "Đổi trả",
        "Đổi trả trong vòng {1} ngày.",
        ("Tôi muốn trả hàng thì sao?", "Không vừa thì đổi được không ạ?", "Đổi trả trong mấy ngày vậy shop?"),
        "Dạ, anh chị có thể đổi trả trong vòng {1} ngày ạ.",
        numbers=(7, 30, 1),
    ),
)
BROKEN = ("{0} của tôi bị hỏng.", "{0} không hoạt động.", "{0} mới mua mà dùng không được.")
SORRY = "Dạ, em rất xin lỗi. Bên em sẽ gửi {0} mới ạ."
OPENINGS = (
    ("Chào shop ạ.", "Dạ, em chào anh chị. Em có thể giúp gì ạ?"),
    ("Xin chào!", "Dạ, em chào anh chị. Em có thể giúp gì ạ?"),
    ("Shop ơi.", "Dạ, em nghe đây ạ."),
)
CLOSINGS = (
    ("Cảm ơn em nhé.", "Dạ không có gì ạ! Anh chị cần gì thêm không ạ?"),
    ("Thế thôi, cảm ơn em.", "Dạ, em cảm ơn anh chị. Chúc anh chị một ngày tốt lành ạ!"),
    ("Ok em, để anh suy nghĩ thêm.", "Dạ, anh chị cần gì cứ nhắn em ạ."),
)


def files(rng: random.Random) -> dict[str, str]:
    """File name to text."""
    told = [conversation(rng) for _ in range(CONVERSATIONS)]
    add_faults(told)
    held_out = [legacy(conversation(rng)) for _ in range(HELD_OUT)]
    held_out[7]["prompt"] = held_out[7]["prompt"].removesuffix(
        SEPARATOR
    )  # no separator: where does the answer begin?
    held_out[12]["completion"] = STOP  # an empty answer
    return {
        "data/conversations.jsonl": lines(told),
        "data/validation.jsonl": lines(held_out),
        "imports/compiled_results.csv": results(rng),
    }


def conversation(rng: random.Random) -> dict[str, object]:
    """One conversation of one to four questions about two to four facts."""
    facts = [filled(rng, fact) for fact in rng.sample(FACTS, rng.randint(2, 4))]
    context = " ".join(told for told, _, _, _ in facts)
    topic = facts[0][3]
    turns = [rng.choice(OPENINGS)] if rng.random() < 0.35 else []
    if rng.random() < 0.2:
        device, topic = rng.choice(DEVICES), "Khiếu nại"
        turns.append((capital(rng.choice(BROKEN).format(device)), SORRY.format(device)))
    turns += [(ask, answer) for _, ask, answer, _ in facts[: rng.randint(1, len(facts))]]
    if rng.random() < 0.5:
        turns.append(rng.choice(CLOSINGS))
    messages = [
        {"role": role, "content": text}
        for turn in turns
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    return {"context": context, "topic": topic, "messages": messages}


def filled(rng: random.Random, fact: Fact) -> tuple[str, str, str, str]:
    """What the context says, a question, its answer, and the topic."""
    low, high, unit = fact.numbers
    values = rng.choice(fact.things), rng.randint(low, high) * unit
    told, ask, answer = (text.format(*values) for text in (fact.told, rng.choice(fact.asks), fact.answer))
    return capital(told), capital(ask), answer, fact.topic


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def add_faults(told: list[dict[str, object]]) -> None:
    """What went wrong in the original: no last answer, a turn lost, wrong numbers."""
    told[5]["messages"] = [*told[5]["messages"], {"role": "user", "content": "Alo, còn ở đó không?"}]  # type: ignore[misc]
    told[23]["messages"] = told[23]["messages"][1:]  # type: ignore[index]
    for row in (told[11], told[30]):
        answer = next(each for each in row["messages"] if any(map(str.isdigit, each["content"])))  # type: ignore[attr-defined]
        answer["content"] = "".join("7" if each.isdigit() else each for each in answer["content"])


def legacy(told: dict[str, object]) -> dict[str, str]:
    """The first question as prompt and completion, with the marks that the older API asked for."""
    asked, answer = (each["content"] for each in told["messages"][:2])  # type: ignore[index]
    blocks = (("Ngữ cảnh", told["context"]), ("Chủ đề", told["topic"]), ("Chat", asked))
    prompt = "\n\n".join(f"{title}:\n{text}" for title, text in blocks) + SEPARATOR
    return {"prompt": prompt, "completion": f" {answer}{STOP}"}


def lines(rows: list[dict[str, object]] | list[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def results(rng: random.Random) -> str:
    """A curve that falls and levels off, with blank validation cells between the validated steps."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [
        f"{side}_{name}"
        for side in ("training", "validation")
        for name in ("loss", "sequence_accuracy", "token_accuracy")
    ]
    writer.writerow(["step", "elapsed_tokens", "elapsed_examples", *names])
    tokens = 0
    for step in range(1, STEPS + 1):
        tokens += rng.randint(1800, 3100)
        row: list[object] = [step, tokens, step * BATCH]
        for above in (1.0, 1.25):
            if above > 1 and step % EVERY and step != STEPS:
                row += ["", "", ""]
                continue
            loss = above * (0.05 + 0.6 * math.exp(-step / 30)) * rng.uniform(0.7, 1.4)
            whole = rng.choice((0.0, 0.25, 0.5)) if above == 1 and step > 60 else 0.0
            row += [f"{loss:.6f}", whole, f"{math.exp(-0.45 * loss):.6f}"]
        writer.writerow(row)
    return out.getvalue()


if __name__ == "__main__":
    for name, text in files(random.Random(SEED)).items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
