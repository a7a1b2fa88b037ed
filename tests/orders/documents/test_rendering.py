"""Documents as PDF, apart from orders."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import segno
from pypdf import PdfReader

from grocery.config import Settings, load_settings
from grocery.orders.documents.rendering import entity_tag, render
from grocery.orders.documents.wording import Document, Shop
from tests.orders.documents.paper import pages_of

URL = "https://shop.example/t/0123456789abcdefghijABCDEFGHIJ"


def invoice(number: str = "G-7K3M9Q", **overrides: Any) -> Document:
    data = {
        "title": "Invoice",
        "number": number,
        "shop": {"name": "Test Grocer", "contact": []},
        "customer": {"name": "Amina", "place": []},
        "facts": [],
        "currency": "KES",
        "lines": [],
        "sums": [],
        "total": "1.00",
        "payment": [],
        "vat": [],
        "vat_total": "0.00",
        "tracking_url": None,
        **overrides,
    }
    return Document("invoice.typ", f"{number}.pdf", 1, data)


def test_eight_threads_at_once_get_each_their_own() -> None:
    numbers = [f"G-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        pages = [pages_of(pdf) for pdf in pool.map(lambda number: render(invoice(number)), numbers)]
    assert [f"Invoice {number} " in page for number, [page] in zip(numbers, pages, strict=True)] == [True] * 40


def test_the_same_is_the_same_to_the_byte() -> None:
    assert render(invoice()) == render(invoice())
    assert entity_tag(invoice()) == entity_tag(invoice())
    assert entity_tag(invoice(total="1.01")) != entity_tag(invoice())


def test_the_tracking_link_is_there_to_read_and_to_scan() -> None:
    [plain], [linked] = pages_of(render(invoice())), pages_of(render(invoice(tracking_url=URL)))
    assert URL in linked.replace(" ", "").replace("\u200b", "")
    assert "Follow your order" not in plain
    dark = enumerate(segno.make(URL, micro=False, error="m").matrix)
    expected = {(row, column) for row, modules in dark for column, is_dark in enumerate(modules) if is_dark}
    assert _modules(invoice(tracking_url=URL)) == expected
    assert _modules(invoice()) == set()


def test_a_document_that_cannot_be_made_is_no_harm_to_the_next() -> None:
    with pytest.raises(RuntimeError):
        render(Document("invoice.typ", "x.pdf", 1, {}))
    assert "Invoice G-1 " in pages_of(render(invoice("G-1")))[0]


def test_what_documents_say_about_the_shop_is_read_from_the_settings(environ: dict[str, str]) -> None:
    said = {"SHOP_ADDRESS": " Moi Avenue 12 ", "SHOP_PHONE": "+254 7", "SHOP_EMAIL": "", "SHOP_TAX_PIN": "P051X"}
    shop = _shop(load_settings({**environ, **said}))
    assert (shop.name, shop.contact) == ("Test Grocer", ("Moi Avenue 12", "+254 7", "PIN P051X"))
    assert _shop(load_settings(environ)).contact == ()


def _shop(settings: Settings) -> Shop:
    return Shop.of({name.upper(): value for name, value in vars(settings).items()})


def _modules(document: Document) -> set[tuple[int, int]]:
    """The dark modules of the code on the first page, drawn as horizontal lines through the middles of its rows."""
    contents = PdfReader(io.BytesIO(render(document))).pages[0].get_contents()
    assert contents is not None
    runs = re.findall(rb"(?<=\s)(\d+) (\d+)\.5 m (\d+) \2\.5 l", contents.get_data().replace(b"\n", b" "))
    return {(int(row), column) for start, row, end in runs for column in range(int(start), int(end))}
