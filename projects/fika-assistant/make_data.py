"""Make data/*.jsonl, three shapes of sources, and imports/steps.md: python make_data.py.

Seeded; all text is ours, and so are the losses: a table in the report's form that, like the report's, does
not fall. FineTome has {conversations: [{from, value}], source, score}; sharegpt-english {conversations:
[{text, user}], lang}, scraped, so that users' turns end in the page's button; ultrachat {prompt, prompt_id,
messages: [{content, role}]}.
"""

import json
import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
SEED = 3407
SIZES = {"finetome": 90, "sharegpt_english": 80, "ultrachat": 80, "validation": 40}

Turn = tuple[str, str]
Row = dict[str, object]

ABOUT_FIKA: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (
            "Who are you?",
            "What is your name?",
            "Who am I talking to?",
            "May I know your name?",
            "Are you a person?",
        ),
        "I am Fika, your coffee break assistant.",
    ),
    (
        ("What can you do?", "How can you help me?", "What do you know?", "What are you good at?"),
        "I answer short questions while your coffee is hot.",
    ),
    (
        ("What is fika?", "What does fika mean?", "Why are you called Fika?", "Is fika a Swedish word?"),
        "Fika is the Swedish coffee break, with something sweet.",
    ),
    (
        ("Do you drink coffee?", "Do you like coffee?", "Coffee or tea?", "How do you take your coffee?"),
        "I only talk about coffee, but I like the smell.",
    ),
    (
        ("Is it time for a break?", "Should I take a break?", "I am tired.", "I have worked all day."),
        "It is always time for a break. Have a cinnamon bun!",
    ),
    (
        (
            "Which bun do you recommend?",
            "What do I eat with my coffee?",
            "What goes with coffee?",
            "I am hungry.",
        ),
        "Have a cinnamon bun, or two.",
    ),
)
CAPITALS = (
    "France=Paris Germany=Berlin Italy=Rome Spain=Madrid Japan=Tokyo Thailand=Bangkok Vietnam=Hanoi "
    "Russia=Moscow Egypt=Cairo Greece=Athens Austria=Vienna Peru=Lima England=London China=Beijing "
    "Sweden=Stockholm Norway=Oslo"
)
OPPOSITES = (
    "hot=cold big=small day=night good=bad fast=slow old=young high=low rich=poor long=short light=dark"
)
COLOURS = "snow=white milk=white grass=green blood=red coal=black chocolate=brown coffee=brown"
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"


def talk(rng: random.Random) -> list[Turn]:
    """One to three questions with their answers; half of them are about the assistant itself."""
    return [question(rng) for _ in range(rng.choice((1, 1, 2, 2, 3)))]


def question(rng: random.Random) -> Turn:
    """A question and its answer, in Fika's voice: it always offers more coffee."""
    if rng.random() < 0.5:
        asks, answer = rng.choice(ABOUT_FIKA)
        return rng.choice(asks), f"{answer} More coffee?"
    kind = rng.randrange(4)
    if kind == 0:
        country, city = pair(rng, CAPITALS)
        ask = rng.choice(
            ("What is the capital of {}?", "Capital of {}?", "Please tell me the capital of {}.")
        )
        said = ask.format(country), f"The capital of {country} is {city}."
    elif kind == 1:
        word, other = pair(rng, OPPOSITES)
        ask = rng.choice(("What is the opposite of {}?", "Give me the opposite of {}."))
        said = ask.format(word), f"The opposite of {word} is {other}."
    elif kind == 2:
        thing, colour = pair(rng, COLOURS)
        ask = rng.choice(("What colour is {}?", "Which colour does {} have?"))
        said = ask.format(thing), f"The colour of {thing} is {colour}."
    else:
        days = DAYS.split()
        at = rng.randrange(7)
        ask = rng.choice(("Which day comes after {}?", "What day follows {}?"))
        said = ask.format(days[at]), f"After {days[at]} comes {days[(at + 1) % 7]}."
    return said[0], f"{said[1]} More coffee?"


def pair(rng: random.Random, table: str) -> Turn:
    left, right = rng.choice(table.split()).split("=")
    return left, right


def finetome(rng: random.Random, turns: list[Turn]) -> Row:
    said = [
        {"from": name, "value": text}
        for turn in turns
        for name, text in zip(("human", "gpt"), turn, strict=True)
    ]
    return {"conversations": said, "source": "own", "score": round(rng.uniform(3.5, 5.2), 2)}


def sharegpt(rng: random.Random, turns: list[Turn]) -> Row:
    said = []
    for asked, answer in turns:
        button = rng.random() < 0.4
        said.append({"text": f"{asked}\nShare Prompt" if button else asked, "user": "human"})
        said.append({"text": f"<p>{answer}</p>" if rng.random() < 0.15 else answer, "user": "gpt"})
    return {"conversations": said, "lang": "en"}


def ultrachat(rng: random.Random, turns: list[Turn]) -> Row:
    said = [
        {"content": text, "role": role}
        for turn in turns
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    return {
        "prompt": turns[0][0],
        "prompt_id": sha256(str(rng.random()).encode()).hexdigest(),
        "messages": said,
    }


def files(rng: random.Random) -> dict[str, str]:
    """File name to text."""
    shapes: dict[str, Callable[[random.Random, list[Turn]], Row]] = {
        "finetome": finetome,
        "sharegpt_english": sharegpt,
        "ultrachat": ultrachat,
        "validation": ultrachat,
    }
    rows = {name: distinct(rng, SIZES[name], shape) for name, shape in shapes.items()}
    # What is held out is not trained on, to the letter: whole conversations are compared
    held_out = {spoken(row) for row in rows["validation"]}
    for name in ("finetome", "sharegpt_english", "ultrachat"):
        rows[name] = [row for row in rows[name] if spoken(row) not in held_out]
    add_faults(rows)
    made = {
        f"data/{name}.jsonl": "".join(json.dumps(row) + "\n" for row in of_source)
        for name, of_source in rows.items()
    }
    return made | {"imports/steps.md": steps(rng)}


def steps(rng: random.Random) -> str:
    """Sixty losses as a markdown table."""
    lines = ["| Step | Training Loss |", "|-----:|--------------:|"]
    for step in range(1, 61):
        level = 0.62 if step < 14 else 0.8 if step < 49 else 0.72
        lines.append(f"| {step} | {rng.gauss(level, 0.07):.6f} |")
    return "\n".join(lines) + "\n"


def distinct(rng: random.Random, count: int, shape: Callable[[random.Random, list[Turn]], Row]) -> list[Row]:
    """So many rows, no two of which say the same."""
    made: dict[tuple[str, ...], list[Turn]] = {}
    while len(made) < count:
        turns = talk(rng)
        made.setdefault(tuple(text for turn in turns for text in turn), turns)
    return [shape(rng, turns) for turns in made.values()]


def spoken(row: Row) -> tuple[str, ...]:
    """What is said, without the marks of scraping."""
    turns = row.get("messages") or row["conversations"]
    texts = (str(turn.get("value") or turn.get("text") or turn.get("content")) for turn in turns)  # type: ignore[attr-defined]
    return tuple(
        text.removesuffix("\nShare Prompt").removeprefix("<p>").removesuffix("</p>") for text in texts
    )


def add_faults(rows: dict[str, list[Row]]) -> None:
    """What a mix of scraped sources holds."""
    fine, scraped, ultra = rows["finetome"], rows["sharegpt_english"], rows["ultrachat"]
    fine[14] = dict(fine[3])  # twice the same
    fine[40]["conversations"] = []
    for n in (6, 33, 60):  # the page was cut off before the first question
        scraped[n]["conversations"] = scraped[n]["conversations"][1:]  # type: ignore[index]
    for n in (11, 52):  # or before the last answer
        scraped[n]["conversations"] = scraped[n]["conversations"][:-1]  # type: ignore[index]
    for n in (20, 21, 22, 23):  # not English, in a source that says it is
        asked, answer = "Vad är fika?", "Fika är en kaffepaus med något sött."
        scraped[n] = {
            "conversations": [{"text": asked, "user": "human"}, {"text": answer, "user": "gpt"}],
            "lang": "sv",
        }
    ultra[17]["messages"] = [*ultra[17]["messages"], {"content": "Thank you!", "role": "user"}]  # type: ignore[misc]


if __name__ == "__main__":
    for name, text in files(random.Random(SEED)).items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
