"""What the processes of a running shop write about all that is secret."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.shop import COMMANDS, Shop
from tests.secret_tour import EMAIL, INVITED_EMAIL, OTHER_PHONE, PHONE, Tour, found_in
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

_UNDER_WAY = """
    SELECT 1 FROM notifications WHERE next_attempt_at < now() + '10 s' OR status = 'sending'
    UNION ALL SELECT 1 FROM orders WHERE status = 'pending'
"""


@pytest.fixture
def talkative(shop: Shop) -> Iterator[dict[str, int]]:
    """All processes write all they can, as JSON; answers how long their logs were before."""
    lengths = {name: (shop.logs / f"{name}.log").stat().st_size for name in COMMANDS}
    kept = dict(shop.environ)
    limits = dict.fromkeys([name for name in shop.environ if name.startswith("RATE_LIMIT_")], "none")
    shop.end_all()
    shop.environ.update(limits, LOG_LEVEL="DEBUG", LOG_FORMAT="json")
    shop.start(*COMMANDS)
    yield lengths
    # Whoever needs the shop next starts it as it was.
    shop.end_all()
    shop.environ.clear()
    shop.environ.update(kept)


def test_no_log_of_any_process_has_a_secret(
    shop: Shop, admin: dict[str, str], product: dict[str, Any], talkative: dict[str, int]
) -> None:
    def send(method: str, path: str, **kwargs: Any) -> tuple[Any, requests.Response]:
        answer = requests.request(method, shop.url + path, timeout=20, **kwargs)
        try:
            return answer.json(), answer
        except ValueError:
            return None, answer

    def read_body(recipient: str) -> str:
        [(body,)] = shop.sql(f"SELECT body FROM notifications WHERE recipient = '{recipient}' ORDER BY id DESC LIMIT 1")
        return str(body)

    tour = Tour(send, read_body, admin, product["id"])
    tour.walk()
    for name in ("at_callback_secret", "mail_callback_secret"):
        secret = (Path(shop.environ["DATA_DIR"]) / "secrets" / name).read_text().strip()
        tour.note("callback", secret)
        channel = "sms" if name.startswith("at") else "mail"
        shop.post(f"/notify/{channel}/{secret}/nowhere", data={"id": "x"})
        shop.post(f"/notify/{channel}/{secret}/{'delivery' if channel == 'sms' else 'bounce'}", data={"id": "x"})
    wait_until(lambda: not shop.sql(_UNDER_WAY), "every message is sent")
    tour.note("address of a person", EMAIL, INVITED_EMAIL, PHONE, OTHER_PHONE)

    written = {name: (shop.logs / f"{name}.log").read_bytes()[talkative[name] :].decode() for name in COMMANDS}
    assert [name for name, lines in written.items() if not lines] == []
    assert {name: found for name, lines in written.items() if (found := found_in(lines, tour.secrets))} == {}
    assert any(json.loads(line)["level"] == "INFO" for line in written["worker-notify"].splitlines() if line[0] == "{")
    assert '"DEBUG"' in written["api"]
