"""Make data/*, dialogues in the form of DailyDialog's files: python make_data.py. Seeded; all text is ours.

`situations.txt` holds hand-written situations: what one says, and one reply of the other for each emotion. A
reply begins with words of its emotion, so that even a very small model can learn the control. Everyday
questions with neutral answers make neutral the largest class, as it is in the original.
"""

import random
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SEED = 37710
LABELS = ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise")
"""By number, as the original has them; its 0 is called `no emotion` there."""
TRAIN_SITUATIONS, VALIDATION_SITUATIONS = 14, 3
EVERYDAY = {"train": 60, "validation": 9, "test": 9}
END = " __eou__"

OPENINGS = {
    "neutral": ("",),
    "anger": ("That makes me so angry ! ", "How dare they ! "),
    "disgust": ("Ugh , how disgusting . ", "Yuck , that is nasty . "),
    "fear": ("Oh no , I am scared . ", "I am so afraid . "),
    "happiness": ("How wonderful ! ", "That is great ! "),
    "sadness": ("Oh , I am so sad . ", "That breaks my heart . "),
    "surprise": ("Really ? I cannot believe it ! ", "Wow , what a surprise ! "),
}
GREETINGS = (
    ("Good morning .", "Hello ! How can I help you ?"),
    ("How are you today ?", "I am fine , thank you ."),
    ("Hi there .", "Hello ! How can I help you ?"),
)
CLOSINGS = ("Thank you for listening .", "I have to go now .", "See you later .")
CAPITALS = (
    "France=Paris Germany=Berlin Italy=Rome Spain=Madrid Japan=Tokyo Thailand=Bangkok Egypt=Cairo Peru=Lima"
)
FOODS = "bread rice cheese soup fish cake chocolate coffee milk honey"
ORDERS = ("Where is my order", "What is the status of order", "When do you send order", "Can you find order")
BROKEN = "phone lamp radio camera watch printer keyboard bicycle"


@dataclass(frozen=True)
class Dialogue:
    """Utterances and their emotions, one label each."""

    utterances: tuple[str, ...]
    emotions: tuple[str, ...]

    def __add__(self, other: "Dialogue") -> "Dialogue":
        return Dialogue(self.utterances + other.utterances, self.emotions + other.emotions)


def dialogues(rng: random.Random) -> dict[str, list[Dialogue]]:
    """Split to dialogues; no situation is in two splits."""
    situations = (HERE / "situations.txt").read_text("utf-8").strip().split("\n\n")
    rng.shuffle(situations)
    first, second = TRAIN_SITUATIONS, TRAIN_SITUATIONS + VALIDATION_SITUATIONS
    parts = {"train": situations[:first], "validation": situations[first:second], "test": situations[second:]}
    made, rest = {}, everyday(rng)
    for name, part in parts.items():
        rows = [row for situation in part for row in replies(rng, situation)]
        rows += [rest.pop() for _ in range(EVERYDAY[name])]
        rng.shuffle(rows)
        made[name] = rows
    return made


def replies(rng: random.Random, situation: str) -> list[Dialogue]:
    """A dialogue for each emotion; some are longer, and some end with the first speaker."""
    told, *answers = situation.splitlines()
    emotion, said = told.split(" ", 1)
    rows = []
    for answer in answers:
        felt, text = answer.split(" ", 1)
        row = Dialogue((said, rng.choice(OPENINGS[felt]) + text), (emotion, felt))
        if rng.random() < 0.2:
            row = Dialogue(rng.choice(GREETINGS), ("neutral", "neutral")) + row
        if rng.random() < 0.12:
            row += Dialogue((rng.choice(CLOSINGS),), ("neutral",))
        rows.append(row)
    return rows


def everyday(rng: random.Random) -> list[Dialogue]:
    """Questions without feelings and their answers, each one once: what is held out is not trained on."""
    pairs = [
        (f"What is the capital of {country} ?", f"The capital of {country} is {city} .")
        for country, city in (each.split("=") for each in CAPITALS.split())
    ]
    pairs += [(f"I like {food} .", f"Good choice , {food} is tasty .") for food in FOODS.split()]
    pairs += [(f"My {thing} is broken .", f"We will send you a new {thing} .") for thing in BROKEN.split()]
    pairs += [
        (f"{ask} {order} ?", f"Your order {order} is on its way .")
        for ask, order in zip(ORDERS * 13, rng.sample(range(1000, 10000), 52), strict=True)
    ]
    return [Dialogue(pair, ("neutral", "neutral")) for pair in rng.sample(pairs, len(pairs))]


def lines(rng: random.Random, rows: list[Dialogue], faults: bool) -> tuple[list[str], list[str]]:
    """The two parallel files; with faults as they are in the original's training set."""
    texts = ["".join(f"{text}{END} " for text in row.utterances).rstrip() for row in rows]
    labels = [" ".join(str(LABELS.index(emotion)) for emotion in row.emotions) for row in rows]
    if faults:
        first, second, third, fourth = rng.sample(range(len(rows)), 4)
        labels[first] += " 0"  # a label too many
        labels[second] = labels[second][:-2]  # one too few
        texts[third] = texts[third].replace(END, "", 1)  # a separator is gone: two utterances in one
        texts[fourth], labels[fourth] = f"Hello , is anybody there ?{END}", "0"  # nobody answers
    return texts, labels


def files(rng: random.Random) -> dict[str, str]:
    """File name to text."""
    made = {}
    for name, rows in dialogues(rng).items():
        texts, labels = lines(rng, rows, faults=name == "train")
        made[f"dialogues_{name}.txt"] = "\n".join(texts) + "\n"
        made[f"dialogues_emotion_{name}.txt"] = "\n".join(labels) + "\n"
    return made


if __name__ == "__main__":
    for name, text in files(random.Random(SEED)).items():
        (HERE / "data" / name).write_text(text, encoding="utf-8", newline="\n")
