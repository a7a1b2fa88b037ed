"""From what a document says to a PDF, by Typst."""

import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import segno
import typst

from grocery.orders.documents.wording import Document

_TEMPLATES = Path(__file__).parent / "templates"

# Typst keeps what it has computed until it was not asked for while ten documents were made. Of orders with 200 lines,
# that is 130 MB in each process, for what will not be asked for again. With some empty documents after each real one,
# what only one order had is gone after two, and what all have in common stays.
_EMPTY_DOCUMENTS = 5

# Words that are longer do not fit into a column.
_LONG_WORD = re.compile(r"\S{24}(?=\S)")

# The one thread of this process that makes documents; it starts with the first one. A compiler is not for two threads
# at once, and what each thread has ever needed stays with the process: with eight threads, that was 100 MB more.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")


def render(document: Document) -> bytes:
    """The PDF. Takes some 20 ms, for 200 lines some 70, without holding up other threads. Needs no database."""
    return _thread.submit(_render, document).result()


def entity_tag(document: Document) -> str:
    """What changes with the document, known before it is made: the version, then a digest of all that it says."""
    said = orjson.dumps(document.data, option=orjson.OPT_SORT_KEYS)
    return f"{document.version}-{hashlib.blake2b(said + _templates_digest(), digest_size=9).hexdigest()}"


@cache
def _compiler() -> typst.Compiler:
    return typst.Compiler(root=_TEMPLATES, ignore_system_fonts=True)


@cache
def _templates_digest() -> bytes:
    """An upgrade of the shop may say the same in another way."""
    sources = b"".join(path.read_bytes() for path in sorted(_TEMPLATES.iterdir()))
    return hashlib.blake2b(sources).digest()


def _render(document: Document) -> bytes:
    try:
        return _compile(document.template, _inputs(document.data))
    finally:
        for _ in range(_EMPTY_DOCUMENTS):
            _compile("empty.typ", {})


def _compile(template: str, inputs: dict[str, str]) -> bytes:
    # Without tags, an order of 200 lines has 48 KB instead of 260, for people who pay for their data.
    made = _compiler().compile(_TEMPLATES / template, format="pdf", pdf_tags=False, sys_inputs=inputs)
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


def _inputs(data: Mapping[str, Any]) -> dict[str, str]:
    inputs = {"data": orjson.dumps(_breakable(data)).decode()}
    if data.get("tracking_url"):
        inputs["qr"] = segno.make(data["tracking_url"], micro=False, error="m").svg_inline(border=0)
    return inputs


def _breakable(value: Any) -> Any:
    """The same data, with places to break in words that are longer than a column is wide."""
    if isinstance(value, str):
        return _LONG_WORD.sub("\\g<0>\u200b", value)
    if isinstance(value, Mapping):
        return {name: _breakable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_breakable(part) for part in value]
    return value
