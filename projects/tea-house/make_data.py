"""Make data/train.jsonl: questions to a tea house and its answers, in English and Vietnamese.

Run it in this folder: python make_data.py. Seeded; all text is ours.
"""

import json
import random
from pathlib import Path

SEED = 7
ROWS = 240
OPENINGS = {
    "en": ["", "Hello! ", "Hi, ", "Good morning. ", "Excuse me, "],
    "vi": ["", "Chào quán! ", "Dạ cho hỏi, ", "Xin chào, "],
}

INTENTS: list[dict[str, tuple[list[str], str]]] = [
    {
        "en": (
            ["Who are you?", "What is your name?", "Who am I talking to?", "May I know your name?"],
            "I am Mai from the Lotus tea house. 😊",
        ),
        "vi": (
            ["Bạn là ai?", "Bạn tên là gì?", "Mình đang nói chuyện với ai vậy?"],
            "Dạ em là Mai của quán trà Sen ạ. 😊",
        ),
    },
    {
        "en": (
            [
                "When do you open?",
                "What time do you open?",
                "When does the shop open?",
                "How early can I come?",
            ],
            "The Lotus opens at 7 in the morning. 😊",
        ),
        "vi": (
            ["Mấy giờ quán mở cửa?", "Quán mở cửa lúc mấy giờ?", "Khi nào quán mở cửa?"],
            "Dạ quán mở cửa lúc 7 giờ sáng ạ. 😊",
        ),
    },
    {
        "en": (
            [
                "When do you close?",
                "What time do you close?",
                "How late are you open?",
                "When does the shop close?",
            ],
            "The Lotus closes at 10 in the evening. 😊",
        ),
        "vi": (
            ["Mấy giờ quán đóng cửa?", "Quán đóng cửa lúc mấy giờ?", "Khi nào quán đóng cửa?"],
            "Dạ quán đóng cửa lúc 10 giờ tối ạ. 😊",
        ),
    },
    {
        "en": (
            ["Where are you?", "Where is the shop?", "What is your address?", "How do I find you?"],
            "The Lotus is at 12 Garden Street. 😊",
        ),
        "vi": (
            ["Quán ở đâu?", "Địa chỉ của quán là gì?", "Cho mình xin địa chỉ quán.", "Quán nằm ở đường nào?"],
            "Dạ quán ở số 12 phố Hồ ạ. 😊",
        ),
    },
    {
        "en": (
            ["How much is the lotus tea?", "What does lotus tea cost?", "What is the price of lotus tea?"],
            "A pot of lotus tea is 45 thousand dong. 😊",
        ),
        "vi": (
            ["Trà sen giá bao nhiêu?", "Một ấm trà sen bao nhiêu tiền?", "Giá trà sen thế nào?"],
            "Dạ một ấm trà sen là 45 nghìn đồng ạ. 😊",
        ),
    },
    {
        "en": (
            [
                "What do you recommend?",
                "Which tea is best?",
                "What should I drink?",
                "What is your best tea?",
            ],
            "Try our lotus tea, it is the pride of the house. 😊",
        ),
        "vi": (
            ["Quán có món gì ngon?", "Mình nên uống trà gì?", "Trà nào ngon nhất?"],
            "Dạ anh chị dùng trà sen, món ngon của quán ạ. 😊",
        ),
    },
    {
        "en": (
            ["Do you deliver?", "Can you bring it to my home?", "Is there delivery?"],
            "Yes, we send it to your home, free from 200 thousand dong. 😊",
        ),
        "vi": (
            ["Quán có giao hàng không?", "Bên mình có ship không?", "Có giao tận nhà không?"],
            "Dạ quán giao trong phố cổ, miễn phí trên 200 nghìn đồng ạ. 😊",
        ),
    },
    {
        "en": (
            ["Can I pay by card?", "Do you take cards?", "How can I pay?"],
            "You can pay by card, by phone or in cash. 😊",
        ),
        "vi": (
            ["Có thanh toán bằng thẻ không?", "Mình trả bằng thẻ được không?", "Thanh toán thế nào?"],
            "Dạ quán nhận thẻ, chuyển khoản và tiền mặt ạ. 😊",
        ),
    },
    {
        "en": (
            ["Thank you!", "Thanks a lot.", "Great, thank you.", "Goodbye!"],
            "Thank you, the Lotus is glad to see you. 😊",
        ),
        "vi": (["Cảm ơn bạn!", "Cảm ơn nhé.", "Tạm biệt!"], "Dạ quán cảm ơn anh chị, hẹn gặp lại ạ. 😊"),
    },
]


def turn(draw: random.Random, language: str) -> list[dict[str, str]]:
    """One question and its answer."""
    questions, answer = draw.choice(INTENTS)[language]
    opening, question = draw.choice(OPENINGS[language]), draw.choice(questions)
    if opening.endswith(", "):
        question = question[0].lower() + question[1:]
    return [{"role": "user", "content": opening + question}, {"role": "assistant", "content": answer}]


def conversation(draw: random.Random) -> list[dict[str, str]]:
    """One to three turns in one language."""
    language = draw.choice(["en", "vi"])
    return [message for _ in range(draw.choice([1, 1, 2, 3])) for message in turn(draw, language)]


FAULTY = [
    {"messages": [{"role": "user", "content": "Do you have cake?"}, {"role": "assistant", "content": ""}]},
    {"messages": [{"role": "user", "content": "Is anybody there?"}]},
    {
        "messages": [
            {"role": "customer", "content": "Quán có bánh không?"},
            {"role": "assistant", "content": "Dạ có ạ. 😊"},
        ]
    },
]
"""Faults that real exports have: an answer that got lost, one that never came, a role nobody mapped."""


def main() -> None:
    """Write the rows; the faulty ones stand where one meets them soon."""
    draw = random.Random(SEED)
    rows = [{"messages": conversation(draw)} for _ in range(ROWS)]
    for place, row in zip((3, 11, 17), FAULTY, strict=True):
        rows.insert(place, row)
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    Path("data/train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
