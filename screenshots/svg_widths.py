"""Mends rich's SVG export, which measures text by its characters: Thai and Chinese come out on wrong cells.

Rich sets `textLength` from `len(text)`; a terminal counts cells. Runs are cut into clusters, each placed on
its own cell, and ligatures are switched off so that `<|` stays two signs.
"""

import html
import re

from rich.cells import cell_len, get_character_cell_size

CELL = 12.2
LAST_LATIN = 0x24F
RUN = re.compile(
    r'<text class="([^"]*-r\d+)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>(.*?)</text>'
)
ZERO_WIDTH_JOINER = "\u200d"


def mend(svg: str) -> str:
    """The same picture with every cluster on its own cell."""
    svg = RUN.sub(_replaced, svg)
    return svg.replace("</style>", "text{font-variant-ligatures:none}</style>", 1).replace(
        "font-variant-east-asian: full-width;", ""
    )


def _replaced(match: re.Match[str]) -> str:
    text = html.unescape(match[6]).replace("\u00a0", " ")
    if text.isascii():
        return match[0]
    pieces: list[str] = []
    at = float(match[2])
    for run in _runs(text):
        width = cell_len(run) * CELL
        if run.strip():
            shown = html.escape(run).replace(" ", "&#160;")
            place = f'x="{at:.1f}" y="{match[3]}" textLength="{width:.1f}"{match[5]}'
            pieces.append(f'<text class="{match[1]}" {place}>{shown}</text>')
        at += width
    return "".join(pieces)


def _runs(text: str) -> list[str]:
    """Plain Latin stays in one run; every other cluster (a letter with its marks) is a run of its own."""
    runs: list[str] = []
    latin_before = False
    for character in text:
        joins = bool(runs) and (
            get_character_cell_size(character) == 0 or runs[-1].endswith(ZERO_WIDTH_JOINER)
        )
        latin = ord(character) <= LAST_LATIN
        if runs and (joins or (latin and latin_before)):
            runs[-1] += character
        else:
            runs.append(character)
        latin_before = latin and not joins
    return runs
