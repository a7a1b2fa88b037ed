"""The way to the stream of an order: an address with a ticket, good for a minute."""

from urllib.parse import urlencode

from flask import Response, current_app

from grocery.keys import keys_of
from grocery.tickets import make_ticket

#: A link or a ticket is the key: it must not stay in caches and search engines, nor be told to whoever a page links to.
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


def lead_to_stream(order_id: int, last_event_id: int | None, *, is_public: bool) -> Response:
    """Lead to the events of an order after `last_event_id`. Who may follow it is for the caller to say."""
    key = keys_of(current_app.config).signing
    query: dict[str, object] = {"ticket": make_ticket(key, order_id, is_public=is_public)}
    if last_event_id is not None:
        query["last_event_id"] = last_event_id
    address = f"{current_app.config['STREAM_URL']}/stream/orders/{order_id}?{urlencode(query)}"
    return Response(status=307, headers={"Location": address, **PRIVATE})
