"""What a plain text means by its form: paragraphs, tables, labelled lines, links, commands. Pure rules.

A text is written once, for people who read plain text; its HTML is made of this structure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_URL: Final = re.compile(r"https?://[^\s<>\"]*[^\s<>\"'.,;:!?)\]}]")
_RULE: Final = re.compile(r"-{10,}")
# As `row` of the texts writes them: the columns are two spaces or more apart, and no value has two in a row.
_ROW: Final = re.compile(r"(?P<left>(?:  )?\S+(?: \S+)*) {2,}(?P<right>\S+(?: \S+)*)")
_RIGHT_ONLY: Final = re.compile(r" {3,}(?P<right>\S.*)")
_INDENTED: Final = re.compile(r"  (?P<text>\S.*)")
# Up to three words before a colon: "Customer's note: …". More are a sentence.
_FACT: Final = re.compile(r"(?P<label>[^\W\d_a-z][\w'’-]*(?: [\w'’-]+){0,2}): (?P<value>\S.*)")
# Of a sentence a colon makes no label: "This week: mangoes at half price!"
_SENTENCE_ENDS: Final = (".", "!", "?")
# A line as long as this was cut because it was full.
_FULL_LINE: Final = 50


@dataclass(frozen=True)
class Span:
    """A piece of a line; `href` when it is an address."""

    text: str
    href: str | None = None


@dataclass(frozen=True)
class Paragraph:
    """Lines that stand below each other."""

    lines: Sequence[Sequence[Span]]
    kind: str = "paragraph"

    @property
    def text(self) -> str:
        return "\n".join("".join(span.text for span in line) for line in self.lines)


@dataclass(frozen=True)
class Fact:
    """A labelled line, such as "Payment: Cash on delivery"."""

    label: str
    value: Sequence[Span]


@dataclass(frozen=True)
class Facts:
    """Labelled lines one after the other."""

    facts: Sequence[Fact]
    kind: str = "facts"


@dataclass(frozen=True)
class Row:
    """A line of a table: `title` (and `detail` below it) to the left, `value` to the right; a rule without any."""

    title: str = ""
    value: str = ""
    detail: str = ""

    @property
    def is_rule(self) -> bool:
        return not self.title


@dataclass(frozen=True)
class Table:
    """Rows one after the other."""

    rows: Sequence[Row]
    kind: str = "table"


@dataclass(frozen=True)
class Button:
    """An address on a line of its own, named by the line before it if that ends with a colon."""

    label: str
    href: str
    kind: str = "button"


@dataclass(frozen=True)
class Code:
    """A command to type."""

    text: str
    kind: str = "code"


Block = Paragraph | Facts | Table | Button | Code
# What a line or some is read as, before its like are put together.
_Piece = str | Fact | Row | Button | Code


def read_blocks(text: str) -> list[Block]:
    """The blocks of a text, whose parts are separated by empty lines."""
    paragraphs = re.split(r"\n(?:[^\S\n]*\n)+", text.strip("\n"))
    return [block for paragraph in paragraphs for block in _group(list(_pieces(paragraph.split("\n"))))]


def _pieces(lines: Sequence[str]) -> Iterator[_Piece]:
    at, piece = 0, None
    while at < len(lines):
        piece, count = _read_piece([line.rstrip() for line in lines[at : at + 3]], piece)
        at += count
        if piece != "":
            yield piece


def _read_piece(lines: Sequence[str], before: _Piece | None) -> tuple[_Piece, int]:
    """What the first of the lines is the beginning of, and how many of them belong to it; `before` it came another."""
    line = lines[0]
    if _RULE.fullmatch(line):
        return Row(), 1
    found = _read_row(lines) or _read_button(lines)
    if found is not None:
        return found
    indented, fact = _INDENTED.fullmatch(line), _FACT.fullmatch(line)
    if indented:
        return Code(indented["text"]), 1
    if fact and (isinstance(before, Fact) or not line.endswith(_SENTENCE_ENDS)):
        return Fact(fact["label"], _spans(fact["value"])), 1
    return line.strip(), 1


def _read_row(lines: Sequence[str]) -> tuple[Row, int] | None:
    """A row of a table stands on one line to three, as its columns need room."""
    line, second, third = [*lines, "", ""][:3]
    row = _ROW.fullmatch(line)
    if row:
        return Row(row["left"].strip(), row["right"]), 1
    if not line.strip() or _RULE.fullmatch(second):
        return None
    below, right = _ROW.fullmatch(second), _RIGHT_ONLY.fullmatch(second)
    if below and _INDENTED.fullmatch(second):
        return Row(line.strip(), below["right"], below["left"].strip()), 2
    if right:
        return Row(line.strip(), right["right"]), 2
    detail, last = _INDENTED.fullmatch(second), _RIGHT_ONLY.fullmatch(third)
    if detail and last:
        return Row(line.strip(), last["right"], detail["text"]), 3
    return None


def _read_button(lines: Sequence[str]) -> tuple[Button, int] | None:
    line = lines[0].strip()
    if _URL.fullmatch(line):
        return Button(line, line), 1
    address = lines[1].strip() if len(lines) > 1 else ""
    if line.endswith(":") and _URL.fullmatch(address):
        return Button(line[:-1], address), 2
    return None


def _group(pieces: Sequence[_Piece]) -> Iterator[Block]:
    """Put what stands together and is alike into one block."""
    at = 0
    while at < len(pieces):
        alike = [pieces[at]]
        while at + len(alike) < len(pieces) and type(pieces[at + len(alike)]) is type(alike[0]):
            alike.append(pieces[at + len(alike)])
        at += len(alike)
        yield from _blocks_of(alike)


def _blocks_of(alike: Sequence[_Piece]) -> Sequence[Block]:
    """The blocks of pieces of one type."""
    if isinstance(alike[0], str):
        return [Paragraph([_spans(line) for line in _unfold([str(line) for line in alike])])]
    facts = [piece for piece in alike if isinstance(piece, Fact)]
    rows = [piece for piece in alike if isinstance(piece, Row)]
    if facts:
        return [Facts(facts)]
    if rows:
        return [Table(rows)]
    return [piece for piece in alike if isinstance(piece, Button | Code)]


def _unfold(lines: Sequence[str]) -> list[str]:
    """The lines without the breaks that are there only because a line was full."""
    unfolded = [lines[0]]
    for before, line in pairwise(lines):
        if len(before) >= _FULL_LINE and line[:1].islower():
            unfolded[-1] += f" {line}"
        else:
            unfolded.append(line)
    return unfolded


def _spans(line: str) -> list[Span]:
    spans, end = [], 0
    for match in _URL.finditer(line):
        spans += [Span(line[end : match.start()]), Span(match[0], match[0])]
        end = match.end()
    return [span for span in [*spans, Span(line[end:])] if span.text]
