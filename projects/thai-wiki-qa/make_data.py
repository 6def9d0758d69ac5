"""Make data/*, articles in the form of a Thai Wikipedia dump: python make_data.py. Seeded; all text is ours.

`articles.txt` holds hand-written articles: a title, paragraphs, headings, and after a `+` what the article
links to. Countries, capitals, days and months are written by pattern. The faults are those of the original's
rows: stubs that only redirect, headings, lists of links at the end, repeated rows, empty ones.
`typhoon_train.jsonl` is the file that the original really trained on, in its form: a whole prompt with the
marks of a template as text, and a backslash and an n for a line break.
"""

import csv
import io
import json
import random
from pathlib import Path

HERE = Path(__file__).parent
SEED = 3000
TEST_ROWS = 12
INSTRUCTION = "อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้"

COUNTRIES = """ฝรั่งเศส ปารีส ยุโรป ภาษาฝรั่งเศส
เยอรมนี เบอร์ลิน ยุโรป ภาษาเยอรมัน
อิตาลี โรม ยุโรป ภาษาอิตาลี
สเปน มาดริด ยุโรป ภาษาสเปน
ญี่ปุ่น โตเกียว เอเชีย ภาษาญี่ปุ่น
เวียดนาม ฮานอย เอเชีย ภาษาเวียดนาม
จีน ปักกิ่ง เอเชีย ภาษาจีน
เกาหลีใต้ โซล เอเชีย ภาษาเกาหลี
รัสเซีย มอสโก ยุโรปและเอเชีย ภาษารัสเซีย
อียิปต์ ไคโร แอฟริกา ภาษาอาหรับ
กรีซ เอเธนส์ ยุโรป ภาษากรีก
ออสเตรีย เวียนนา ยุโรป ภาษาเยอรมัน
เปรู ลิมา อเมริกาใต้ ภาษาสเปน
ไทย กรุงเทพ เอเชีย ภาษาไทย"""
DAYS = "วันอาทิตย์ วันจันทร์ วันอังคาร วันพุธ วันพฤหัสบดี วันศุกร์ วันเสาร์"
MONTHS = (
    "มกราคม=31 กุมภาพันธ์=28 มีนาคม=31 เมษายน=30 พฤษภาคม=31 มิถุนายน=30 "
    "กรกฎาคม=31 สิงหาคม=31 กันยายน=30 ตุลาคม=31 พฤศจิกายน=30 ธันวาคม=31"
)
REDIRECTS = (
    "กาแฟร้อน=กาแฟ น้ำชา=ชา สุนัข=หมา โค=วัว หมูบ้าน=หมู ช้างไทย=ช้าง พระจันทร์=ดวงจันทร์ พระอาทิตย์=ดวงอาทิตย์ "
    "กรุงเทพฯ=กรุงเทพ แพทย์=หมอ คอม=คอมพิวเตอร์ มือถือ=โทรศัพท์"
)

Article = tuple[str, str]


def articles() -> list[Article]:
    """Title and text, headings and link lists included."""
    made = [hand_written(block) for block in (HERE / "articles.txt").read_text("utf-8").strip().split("\n\n")]
    for line in COUNTRIES.splitlines():
        country, capital, continent, language = line.split()
        text = f"{country}เป็นประเทศในทวีป{continent} เมืองหลวงของ{country}คือ{capital}"
        made.append((country, linked(f"{text}\nคนใน{country}พูด{language}", [capital, language])))
        made.append((capital, f"{capital}เป็นเมืองหลวงของ{country} และเป็นเมืองใหญ่ที่มีคนอยู่มาก"))
    days = DAYS.split()
    for n, day in enumerate(days):
        before, after = days[n - 1], days[(n + 1) % 7]
        text = f"{day}เป็นวันหนึ่งในสัปดาห์ อยู่หลัง{before}และอยู่ก่อน{after}"
        made.append((day, linked(f"{text}\n== {day}ในภาษาต่าง ๆ ==", [before, after])))
    for n, month in enumerate(MONTHS.split(), 1):
        name, length = month.split("=")
        made.append((name, f"{name}เป็นเดือนที่ {n} ของปี มี {length} วัน"))
    return made


def hand_written(block: str) -> Article:
    title, *lines = block.splitlines()
    links = lines.pop()[1:].split() if lines[-1].startswith("+") else []
    return title, linked("\n".join(lines), links)


def linked(text: str, links: list[str]) -> str:
    """The text with the sections that end an article."""
    if not links:
        return text
    return "\n".join([text, "== ดูเพิ่ม ==", *links, "== แหล่งข้อมูลอื่น ==", *(f"{link} " for link in links)])


def files(rng: random.Random) -> dict[str, str]:
    """File name to text."""
    made = articles()
    rng.shuffle(made)
    test, train = made[:TEST_ROWS], made[TEST_ROWS:]
    stubs = [
        (title, f"redirect {target}") for title, target in (each.split("=") for each in REDIRECTS.split())
    ]
    train += [*stubs, *train[:3], ("ไม่มีข้อมูล", ""), ("หน้าว่าง", " ")]
    rng.shuffle(train)
    return {
        "wiki.csv": table(train),
        "test.csv": table(test),
        "typhoon_train.jsonl": "".join(
            json.dumps(
                {"Text": f"<s>[INST] {INSTRUCTION} here are the inputs {title} [/INST] \\n {text} </s>"}
            )
            + "\n"
            for title, text in train
        ),
    }


def table(rows: list[Article]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["title", "text", "source"])
    writer.writerows((title, text, "own") for title, text in rows)
    return out.getvalue()


if __name__ == "__main__":
    for name, text in files(random.Random(SEED)).items():
        (HERE / "data" / name).write_text(text, encoding="utf-8", newline="\n")
