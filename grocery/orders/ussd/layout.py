"""From what a screen says to what fits on a phone. Pure.

Your orders:
1 G-7K3M9Q: on its way
2 G-2HX8PD: delivered
98 More
0 Back 00 Main menu
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grocery.notify.ussd.screen import SCREEN_SEPTETS, plain
from grocery.notify.wording import gsm7
from grocery.orders.ussd.phrases import Phrases

#: The keys that mean the same on every screen.
BACK, MAIN_MENU, MORE = "0", "00", "98"

#: Entries of a page, and the septets of one. Names are longer than what tells them apart.
PAGE_ENTRIES = 5
_ENTRY_SEPTETS = 60

#: Where a choice leads: the name of a screen or an act, and its arguments.
Target = Sequence[Any]


@dataclass(frozen=True)
class Entry:
    """A line of a list; with a `target` it can be chosen by its number."""

    label: str
    target: Target | None = None


@dataclass(frozen=True)
class Screen:
    """`entries` are shown page by page, `actions` (where no entry can be chosen) on each page."""

    text: str
    entries: Sequence[Entry] = ()
    actions: Sequence[Entry] = ()
    is_end: bool = False


@dataclass(frozen=True)
class Page:
    """What the phone shows. `choices` are by what is keyed in; `following` is the first entry of the next page."""

    text: str
    choices: Mapping[str, Target] = field(default_factory=dict)
    following: int | None = None


def lay_out(screen: Screen, phrases: Phrases, *, depth: int, offset: int = 0, notice: str = "") -> Page:
    """The page of a screen that begins with the entry at `offset`.

    `depth` is 1 for the main menu, which leads nowhere back; `notice` comes before all else.
    """
    numbered = [_Line.of(entry, number) for number, entry in enumerate(screen.entries, start=1)]
    actions = [_Line.of(entry, number) for number, entry in enumerate(screen.actions, start=1)]
    footer = [line.text for line in actions] + _ways_out(phrases, depth, is_end=screen.is_end)
    more = f"{MORE} {phrases.more}"
    waiting = numbered[offset : offset + PAGE_ENTRIES]
    has_later = len(numbered) > offset + len(waiting)
    # At least one entry is shown; so the text, not the entry, is cut.
    least = [line.text for line in waiting[:1]] + [more] * (len(numbered) > offset + 1) + footer
    head = [_shorten("\n".join(filter(None, (notice, screen.text))), SCREEN_SEPTETS - _length(least))]
    shown = list(waiting)
    while len(shown) > 1 and not _fits(head, shown, [more] * has_later, footer):
        shown.pop()
        has_later = True
    lines = [*head, *(line.text for line in shown), *([more] * has_later), *footer]
    choices = {line.key: line.target for line in [*shown, *actions] if line.target is not None}
    return Page("\n".join(lines), choices, offset + len(shown) if has_later else None)


@dataclass(frozen=True)
class _Line:
    key: str
    text: str
    target: Target | None

    @classmethod
    def of(cls, entry: Entry, number: int) -> "_Line":
        label = plain(entry.label)
        text = label if entry.target is None else f"{number} {label}"
        return cls(str(number), gsm7.shorten(text, _ENTRY_SEPTETS), entry.target)


def _ways_out(phrases: Phrases, depth: int, *, is_end: bool) -> list[str]:
    if depth < 2 or is_end:
        return []
    back = f"{BACK} {phrases.back}"
    return [back if depth == 2 else f"{back} {MAIN_MENU} {phrases.main_menu}"]


def _length(lines: Sequence[str]) -> int:
    """Septets of lines that stand below another one."""
    return sum(gsm7.length(line) + 1 for line in lines)


def _fits(head: Sequence[str], shown: Sequence[_Line], more: Sequence[str], footer: Sequence[str]) -> bool:
    lines = [*head, *(line.text for line in shown), *more, *footer]
    return _length(lines) - 1 <= SCREEN_SEPTETS


def _shorten(text: str, septets: int) -> str:
    return gsm7.shorten(plain(text), septets)
