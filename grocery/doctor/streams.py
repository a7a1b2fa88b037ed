"""The stream process: whether those who watch an order reach it."""

from collections.abc import Iterator

import requests

from grocery.doctor.examining import Patient, why_unreachable
from grocery.doctor.findings import Finding, failure, ok, warning

_SECONDS = 4
_REMEDY = "Start it (flask --app wsgi stream), and see docs/operator.md, Streams. Pages go on without it."


def look(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if settings.stream_url:
        yield from _health(settings.stream_url)
    elif settings.shop_url:
        yield from _path(settings.shop_url)
    else:
        yield warning("Neither STREAM_URL nor SHOP_URL is set: nobody finds the streams.", "Set SHOP_URL.")


def _health(stream_url: str) -> Iterator[Finding]:
    try:
        answer = requests.get(f"{stream_url}/healthz", timeout=_SECONDS, allow_redirects=False)
        health = answer.json()
    except (requests.RequestException, ValueError) as error:
        yield failure(f"STREAM_URL ({stream_url}) does not answer: {why_unreachable(error)}", _REMEDY)
        return
    if not (isinstance(health, dict) and "streams" in health):
        yield failure(f"What answers at STREAM_URL ({stream_url}) is not the stream process.", _REMEDY)
        return
    yield ok(f"Streams are served at {stream_url}; {health['streams']} are open.")
    if health.get("database") != "ok":
        yield failure("The stream process cannot reach PostgreSQL.", "Its log says why.")
    if health.get("redis") != "ok":
        yield warning("The stream process hears nothing through Redis, and looks every two seconds.", "See `redis`.")


def _path(shop_url: str) -> Iterator[Finding]:
    """Below the shop's address the probe is not passed on; a stream without a ticket is refused in its own words."""
    url = f"{shop_url}/stream/orders/1"
    try:
        answer = requests.get(url, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        what = f"{url} cannot be reached from here: {why_unreachable(error)}"
        yield warning(what, "Try it from outside: 401 invalid_ticket is the right answer.")
        return
    if answer.status_code == 401 and "invalid_ticket" in answer.text:
        yield ok(f"Streams are served below {shop_url}/stream/.")
    else:
        what = f"{shop_url}/stream/ does not lead to the stream process (HTTP {answer.status_code})."
        yield failure(what, "Have the proxy pass /stream/ on to it (docs/operator.md, Streams), or set STREAM_URL.")
