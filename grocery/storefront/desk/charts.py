"""Bar charts as SVG: numbers for the template, so that no style has to be written into the page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

WIDTH, HEIGHT = 560, 150
_LABEL_HEIGHT = 20


class Bar(NamedTuple):
    """`words` is the value as people read it."""

    label: str
    value: float
    words: str


def make_chart(name: str, title: str, label: str, bars: Sequence[Bar]) -> dict[str, Any]:
    """Where the bars of a chart stand; the last one of days is today. A chart of nothing has bars without height."""
    highest = max((bar.value for bar in bars), default=0) or 1
    room, step = HEIGHT - _LABEL_HEIGHT, WIDTH / max(len(bars), 1)
    # As many labels as can be read beside each other.
    every = 1 if len(bars) <= 7 else 2 if len(bars) <= 14 else 4
    return {
        "name": name,
        "title": title,
        "label": label,
        "width": WIDTH,
        "height": HEIGHT,
        "base": room,
        "bars": [
            {
                "x": round(number * step + step * 0.12, 1),
                "y": round(room - room * bar.value / highest, 1),
                "width": round(step * 0.76, 1),
                "height": round(room * bar.value / highest, 1),
                "middle": round((number + 0.5) * step, 1),
                "label": bar.label,
                "words": bar.words,
                "is_labelled": (len(bars) - 1 - number) % every == 0,
            }
            for number, bar in enumerate(bars)
        ],
    }
