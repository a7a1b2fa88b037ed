"""A conversation by SMS from outside: order, be told, ask, cancel, stop; through the provider both ways."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CUSTOMER, forget_messages, order
from tests.e2e.shop import Shop
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

#: Of this test only: a STOP outlives it.
PHONE = "+254733000111"

_UNDER_WAY = """
    SELECT 1 FROM notifications WHERE next_attempt_at < now() + '10 s' OR status = 'sending'
    UNION ALL SELECT 1 FROM inbound_sms WHERE status = 'received'
    UNION ALL SELECT 1 FROM orders WHERE status = 'pending'
"""


@pytest.fixture
def me(shop: Shop) -> dict[str, str]:
    """Headers of a customer with this phone."""
    registered = shop.post("/auth/register", json={**CUSTOMER, "email": "talks@example.com", "phone": PHONE})
    assert registered.status_code == 201, registered.text
    forget_messages(shop)
    secret = (Path(shop.environ["DATA_DIR"]) / "secrets" / "at_callback_secret").read_text().strip()
    shop.sms.callback_url = f"{shop.url}/notify/sms/{secret}"
    return shop.sign_in("talks@example.com")


def texts(shop: Shop, count: int) -> list[str]:
    """The SMS that have reached the phone, when there are so many and nothing more is under way."""
    shop.sms.wait_for(count)
    wait_until(lambda: not shop.sql(_UNDER_WAY), "all orders are taken on, all messages are answered and sent")
    messages = shop.sms.messages
    assert {sms["to"] for sms in messages} == {PHONE}
    assert len(messages) == count, [sms["message"] for sms in messages]
    return [sms["message"] for sms in messages]


def stock(shop: Shop, product: dict[str, Any]) -> int:
    return int(shop.get(f"/products/{product['id']}").json()["stock"])


def test_order_status_cancel_stop(
    shop: Shop, admin: dict[str, str], me: dict[str, str], product: dict[str, Any]
) -> None:
    placed = order(shop, me, product, 2).json()
    number, path = placed["number"], f"/orders/{placed['id']}"
    assert texts(shop, 1)[0].startswith(f"Test Grocer: order {number} received, KES 378.")
    assert stock(shop, product) == 998

    assert shop.sms.text_from(PHONE, f"status {number.lower()}").status == 200
    assert texts(shop, 2)[1].startswith(f"Test Grocer: order {number} (KES 378): confirmed.")

    # The provider repeats itself; the cancellation and its answer do not.
    for _ in range(3):
        assert shop.sms.text_from(PHONE, f"CANCEL {number}", message_id="the-same").status == 200
    assert texts(shop, 3)[2].startswith(f"Test Grocer: order {number} was cancelled.")
    assert shop.get(path, headers=me).json()["status"] == "cancelled"
    assert stock(shop, product) == 1000

    assert shop.sms.text_from(PHONE, "STOP").status == 200
    assert texts(shop, 4)[3].startswith("Test Grocer: you get no more SMS from us")

    # News of orders come by e-mail alone now.
    shop.smtp.clear()
    second = order(shop, me, product).json()
    shipped = shop.patch(f"/orders/{second['id']}/status", json={"status": "shipped"}, headers=admin)
    assert shipped.status_code == 200, shipped.text
    shop.smtp.wait_for(4)
    assert len(texts(shop, 4)) == 4
    told = {mail.subject for mail in shop.smtp.mails if mail.to == "talks@example.com"}
    assert len([subject for subject in told if second["number"] in subject]) >= 2

    # What is asked for is answered, and who has no e-mail address is told what was agreed; no more than that.
    assert shop.sms.text_from(PHONE, f"HALI {second['number']}").status == 200
    assert "iko" in texts(shop, 5)[4]
    shop.sql("UPDATE customers SET email = NULL WHERE email = 'talks@example.com'")
    third = order(shop, me, product).json()
    shop.patch(f"/orders/{third['id']}/status", json={"status": "delivered"}, headers=admin)
    assert texts(shop, 6)[5].startswith(f"Test Grocer: order {third['number']} received")

    assert shop.sms.text_from(PHONE, "START").status == 200
    assert texts(shop, 7)[6].startswith("Test Grocer: you get SMS about your orders again.")
    shop.patch(f"/orders/{second['id']}/status", json={"status": "delivered"}, headers=admin)
    assert texts(shop, 8)[7].startswith(f"Test Grocer: order {second['number']} was collected.")
