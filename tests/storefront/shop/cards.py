"""What a list of products shows."""

import re
from html import unescape

from werkzeug.test import TestResponse

_CARD = re.compile(r'<li class="card[^"]*" id="product-\d+">.*?<a href="[^"]+">(.*?)</a>', re.DOTALL)
_MORE = re.compile(r'<p id="more"[^>]*><a [^>]*href="([^"]+)"')


def names_on(page: TestResponse) -> list[str]:
    """The products of the cards, from the first on."""
    return [unescape(name) for name in _CARD.findall(page.text)]


def next_page(page: TestResponse) -> str | None:
    """Where "Show more" leads."""
    found = _MORE.search(page.text)
    return unescape(found[1]) if found else None
