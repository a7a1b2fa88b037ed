"""The stand-in for Africa's Talking itself: its calls to a shop, over HTTP and through a test client."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask import Flask, request
from werkzeug.serving import make_server

from tests.fakes.africastalking import API_KEY, FakeAfricasTalking, Fault, Reply, Report, post_by_http, through

AMINA = "+254711000001"
BRIAN = "+254711000002"
BASE = "/notify/sms/secret"


class Shop:
    """A shop that only listens: `heard` keeps what it was told, `statuses` what it answers, 200 when that is empty."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.content_types: set[str] = set()
        self.statuses: list[int] = []
        self.app = Flask("shop")
        self.app.add_url_rule(f"{BASE}/<kind>", view_func=self.hear, methods=["POST"])

    def hear(self, kind: str) -> tuple[str, int]:
        self.heard.append((kind, request.form.to_dict()))
        self.content_types.add(request.headers["Content-Type"])
        return "heard", self.statuses.pop(0) if self.statuses else 200


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def fake(shop: Shop) -> Iterator[FakeAfricasTalking]:
    """The provider, which calls the shop through the test client."""
    with FakeAfricasTalking() as provider:
        provider.callbacks.post = through(shop.app)
        provider.callback_url = BASE
        yield provider


def order_text(fake: FakeAfricasTalking, to: str = AMINA, timeout: float = 5) -> Any:
    form = {"username": "shop", "to": to, "message": "Order G-7K3M9Q was placed."}
    headers = {"apiKey": API_KEY}
    return requests.post(f"{fake.url}/version1/messaging", data=form, headers=headers, timeout=timeout).json()


def report(status: str, message_id: str = "ATXid_1", **more: str) -> tuple[str, dict[str, str]]:
    known = {"phoneNumber": AMINA, "retryCount": "0", "id": message_id, "status": status, "networkCode": "63902"}
    return "delivery", known | more


def test_life_of_a_message_is_told_step_by_step(fake: FakeAfricasTalking, shop: Shop) -> None:
    replies = fake.callbacks.life("ATXid_1", AMINA)

    assert shop.heard == [report("Sent"), report("Submitted"), report("Success")]
    assert replies == [Reply(200, "heard", "text/html; charset=utf-8")] * 3
    assert [call.address for call in fake.callbacks.calls] == [f"{BASE}/delivery"] * 3
    assert shop.content_types == {"application/x-www-form-urlencoded; charset=UTF-8"}


def test_reports_come_in_any_order_and_twice(fake: FakeAfricasTalking, shop: Shop) -> None:
    fake.callbacks.life("ATXid_1", AMINA, "Success", "Sent", "Success")

    assert shop.heard == [report("Success"), report("Sent"), report("Success")]


@pytest.mark.parametrize(
    ("status", "reason", "told"),
    [
        ("Failed", None, {"failureReason": "DeliveryFailure"}),
        ("Rejected", "UserInBlackList", {"failureReason": "UserInBlackList"}),
        ("AbsentSubscriber", None, {}),
        ("Expired", None, {}),
        ("Buffered", None, {}),
    ],
)
def test_reason_comes_with_failed_and_rejected_only(
    fake: FakeAfricasTalking, shop: Shop, status: str, reason: str | None, told: dict[str, str]
) -> None:
    fake.callbacks.deliver("ATXid_1", AMINA, status, reason)

    assert shop.heard == [report(status, **told)]


@pytest.mark.parametrize(("status", "reason"), [("Delivered", None), ("success", None), ("Failed", "Because")])
def test_status_that_the_provider_does_not_have_is_a_mistake_of_the_test(
    fake: FakeAfricasTalking, shop: Shop, status: str, reason: str | None
) -> None:
    with pytest.raises(AssertionError, match="the provider has no"):
        fake.callbacks.deliver("ATXid_1", AMINA, status, reason)

    assert shop.heard == []


def test_any_form_can_be_forged(fake: FakeAfricasTalking, shop: Shop) -> None:
    fake.callbacks.send("/delivery", {"status": "Delivered", "id": "\x00"})

    assert shop.heard == [("delivery", {"status": "Delivered", "id": "\x00"})]


def test_incoming_text_is_passed_on(fake: FakeAfricasTalking, shop: Shop) -> None:
    at = datetime(2026, 11, 26, 9, 5, tzinfo=UTC)

    fake.text_from(AMINA, "STATUS G-7K3M9Q 👋", message_id="77", at=at)
    fake.text_from(AMINA, "HELP", to="5500", link_id="")

    told = {"from": AMINA, "to": "22384", "cost": "KES 0.0000", "networkCode": "63902", "id": "77"}
    assert shop.heard[0] == ("inbound", told | {"date": "2026-11-26 09:05:00", "text": "STATUS G-7K3M9Q 👋"})
    kind, form = shop.heard[1]
    assert (kind, form["to"], form["text"], form["linkId"]) == ("inbound", "5500", "HELP", "")
    assert form["id"] not in ("", "77")


def test_who_opted_out_is_told_and_gets_no_more_texts(fake: FakeAfricasTalking, shop: Shop) -> None:
    fake.opt_out(AMINA, sender_id="DUKA")

    [recipient] = order_text(fake)["SMSMessageData"]["Recipients"]
    assert shop.heard == [("opt-out", {"senderId": "DUKA", "phoneNumber": AMINA})]
    assert (recipient["statusCode"], recipient["status"], fake.messages) == (406, "UserInBlacklist", [])


def test_call_without_a_200_is_made_again(fake: FakeAfricasTalking, shop: Shop) -> None:
    shop.statuses = [503, 201, 200]
    fake.callbacks.tries, fake.callbacks.pause = 5, 0

    assert fake.callbacks.deliver("ATXid_1", AMINA, "Success").status == 200

    assert shop.heard == [report("Success")] * 3
    assert [call.reply.status for call in fake.callbacks.calls] == [503, 201, 200]


def test_call_is_made_once_when_nothing_else_is_asked_for(fake: FakeAfricasTalking, shop: Shop) -> None:
    shop.statuses = [503]

    assert fake.callbacks.deliver("ATXid_1", AMINA, "Success").status == 503

    assert len(shop.heard) == 1


def test_scripted_reports_follow_each_accepted_text(fake: FakeAfricasTalking, shop: Shop) -> None:
    fake.reports = ["Sent", Report("Failed", "UserIsInactive")]
    fake.reports_for(BRIAN, ["Success"])

    order_text(fake)
    order_text(fake, to=f"{BRIAN},0711000003")
    fake.callbacks.wait_for(3)

    first, second = (message["id"] for message in fake.messages)
    success = ("delivery", report("Success", second)[1] | {"phoneNumber": BRIAN})
    # Those of one text come one after the other, those of two as it happens.
    assert shop.heard.count(success) == 1
    of_first = [heard for heard in shop.heard if heard != success]
    assert of_first == [report("Sent", first), report("Failed", first, failureReason="UserIsInactive")]


def test_reports_can_come_before_the_answer(fake: FakeAfricasTalking, shop: Shop) -> None:
    fake.reports = ["Sent", "Success"]
    fake.report_before_answer = True

    [recipient] = order_text(fake)["SMSMessageData"]["Recipients"]

    assert shop.heard == [report("Sent", recipient["messageId"]), report("Success", recipient["messageId"])]


@pytest.mark.parametrize("fault", [Fault.HANG_AFTER_ACCEPTING, Fault.RESET_AFTER_ACCEPTING])
def test_reports_come_also_where_the_answer_never_does(fake: FakeAfricasTalking, shop: Shop, fault: Fault) -> None:
    fake.reports = ["Success"]
    fake.misbehave(fault)

    with pytest.raises(requests.RequestException):
        order_text(fake, timeout=0.2)

    fake.callbacks.wait_for(1)
    assert shop.heard == [report("Success", fake.messages[0]["id"])]


def test_reports_come_also_to_a_client_that_gave_up(fake: FakeAfricasTalking, shop: Shop) -> None:
    fake.reports = ["Success"]
    fake.delay = 0.3

    with pytest.raises(requests.ReadTimeout):
        order_text(fake, timeout=0.1)

    assert shop.heard == []
    fake.callbacks.wait_for(1)
    assert shop.heard == [report("Success", fake.messages[0]["id"])]


def test_refused_texts_have_no_reports(fake: FakeAfricasTalking, shop: Shop) -> None:
    fake.reports = ["Success"]
    fake.reject(AMINA, 405)

    order_text(fake)
    order_text(fake, to=BRIAN)
    fake.callbacks.wait_for(1)

    assert [form["phoneNumber"] for _, form in shop.heard] == [BRIAN]


def test_real_origin_is_called_over_http(shop: Shop) -> None:
    server = make_server("127.0.0.1", 0, shop.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_port}"
    try:
        with FakeAfricasTalking() as fake:
            fake.callback_url = f"{origin}{BASE}"
            fake.reports = ["Success"]
            order_text(fake)
            fake.callbacks.wait_for(1)
            reply = fake.text_from(AMINA, "STOP")
            lost = post_by_http(f"{origin}/elsewhere", {})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert [kind for kind, _ in shop.heard] == ["delivery", "inbound"]
    assert reply == Reply(200, "heard", "text/html; charset=utf-8")
    assert lost.status == 404
    assert post_by_http(f"{origin}{BASE}/delivery", {}).status == 0, "nobody listens there any more"
