"""The HTML of an e-mail, made of its plain text: the same words, easier to take in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grocery.notify.clients.structure import Block, Button, Paragraph, read_blocks

_environment: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)

# The row that is looked for first, in the words of our own texts.
_TOTALS: Final = {"en": "Total", "sw": "Jumla"}


def to_html(subject: str, body: str, shop: str, language: str, leave: tuple[str, str] | None = None) -> str:
    """A whole HTML page of a mail's text, in a language ("en" or "sw").

    `leave` are the words and the address of the link at the end that ends a subscription. The page has no pictures,
    nothing to load and nothing that tells the shop that it was read.
    """
    blocks = read_blocks(body)
    end = _find_signature(blocks, shop)
    foot = blocks[end + 1 :]
    home = foot[0].href if foot and isinstance(foot[0], Button) else None
    return _environment.get_template("mail.html").render(
        subject=subject,
        blocks=blocks[:end],
        shop=shop,
        home=home,
        remarks=[block for block in foot if isinstance(block, Paragraph)],
        language=language,
        leave=leave,
        total=_TOTALS.get(language),
    )


def _find_signature(blocks: Sequence[Block], shop: str) -> int:
    """Where the shop's name stands that texts end with, at most an address and a remark behind it; else the end."""
    for at in range(max(len(blocks) - 3, 0), len(blocks)):
        block, behind = blocks[at], blocks[at + 1 :]
        is_name = isinstance(block, Paragraph) and block.text == shop
        if is_name and all(isinstance(other, Button | Paragraph) for other in behind):
            return at
    return len(blocks)
