"""GET /notifications/ and POST /notifications/{id}/resend."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.notify.schemas import NOTIFICATION_EXAMPLE, NotificationSchema
from grocery.notify.verdicts import MAX_ATTEMPTS
from grocery.queues import NOTIFY, doorbell
from tests.auth.factories import make_customer, sign_in
from tests.notify.clients import AMINA, PHONE
from tests.notify.factories import find_notification, make_notification, make_notifications, pick

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]
MAX_ID = 2**63 - 1


@pytest.fixture
def admin() -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


def listed(client: FlaskClient, admin: dict[str, str], query: str = "") -> list[int]:
    response = client.get(f"/notifications/{query}", headers=admin)
    assert response.status_code == 200
    return [notification["id"] for notification in response.json or []]


class TestList:
    def test_notification_has_all_fields(self, client: FlaskClient, admin: dict[str, str]) -> None:
        message = make_notification(
            channel="email",
            subject="Hello",
            body="Text\n",
            status="sent",
            attempts=2,
            provider_id="<1@shop>",
            cost="KES 0.8000",
            language="sw",
            repeats=1,
            created_at="now() - interval '1 day'",
            sent_at="now()",
            delivered_at="now()",
        )
        row = find_notification(message)

        [notification] = client.get("/notifications/", headers=admin).json or []

        assert notification == {
            "id": message,
            "channel": "email",
            "event": "order_placed",
            "recipient": AMINA,
            "subject": "Hello",
            "body": "Text\n",
            "status": "sent",
            "attempts": 2,
            "provider_id": "<1@shop>",
            "cost": "KES 0.8000",
            "error": None,
            "order_id": None,
            "language": "sw",
            "priority": "news",
            "repeats": 1,
            "campaign_id": None,
            "fallback_for_id": None,
            "created_at": row["created_at"].isoformat().replace("+00:00", "Z"),
            "sent_at": row["sent_at"].isoformat().replace("+00:00", "Z"),
            "delivered_at": row["delivered_at"].isoformat().replace("+00:00", "Z"),
        }

    def test_newest_come_first(self, client: FlaskClient, admin: dict[str, str]) -> None:
        first, second, third = make_notifications(3)

        assert listed(client, admin) == [third, second, first]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?status=failed", [1]),
            ("?status=delivered", []),
            ("?channel=email", [2]),
            ("?event=order_shipped", [3]),
            ("?event=order_shipped&channel=sms", [3]),
            ("?event=order_shipped&channel=email", []),
            ("?order_id=99", []),
        ],
    )
    def test_filters(self, client: FlaskClient, admin: dict[str, str], query: str, expected: list[int]) -> None:
        messages = [
            make_notification(),
            make_notification(status="failed"),
            make_notification(channel="email"),
            make_notification(event="order_shipped"),
        ]

        assert listed(client, admin, query) == [messages[place] for place in expected]

    def test_notifications_of_an_order(self, client: FlaskClient, admin: dict[str, str], run_sql: RunSql) -> None:
        [(customer,)] = run_sql("INSERT INTO customers (name) VALUES ('Amina') RETURNING id")
        [(order,)] = run_sql(
            """INSERT INTO orders (number, customer_id, subtotal_cents, vat_cents, total_cents, currency)
               VALUES ('G-7K3M9Q', :customer, 1, 0, 1, 'KES') RETURNING id""",
            customer=customer,
        )
        message = make_notification(order_id=order, customer_id=customer)
        make_notification()

        assert listed(client, admin, f"?order_id={order}") == [message]

        run_sql("DELETE FROM customers WHERE id = :id", id=customer)
        assert listed(client, admin, f"?order_id={order}") == []

    def test_pages_follow_each_other_without_gap_or_overlap(self, client: FlaskClient, admin: dict[str, str]) -> None:
        messages = make_notifications(5, status="failed")
        make_notification()
        seen, address = [], "/notifications/?limit=2&status=failed"
        for _ in range(3):
            response = client.get(address, headers=admin)
            seen.append([notification["id"] for notification in response.json or []])
            make_notification(status="failed")  # a new one must not shift the pages
            address = response.headers.get("Link", "").partition(">")[0][1:]

        assert seen == [messages[4:2:-1], messages[2:0:-1], messages[:1]]
        assert address == ""

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("?status=lost", "status"),
            ("?channel=pigeon", "channel"),
            ("?order_id=0", "order_id"),
            ("?order_id=x", "order_id"),
            (f"?order_id={2**63}", "order_id"),
            ("?limit=0", "limit"),
            ("?limit=101", "limit"),
            ("?event=%00", "event"),
            ("?stat=failed", "stat"),
            ("?cursor=x", "cursor"),
            ("?cursor=WyJ4Il0", "cursor"),
        ],
    )
    def test_bad_query_is_refused(self, client: FlaskClient, admin: dict[str, str], query: str, field: str) -> None:
        response = client.get(f"/notifications/{query}", headers=admin)

        assert response.status_code == 422
        assert field in (response.json or {})["errors"]


class TestAccess:
    @pytest.mark.parametrize(("method", "path"), [("GET", "/notifications/"), ("POST", "/notifications/1/resend")])
    @pytest.mark.parametrize("role", ["customer", "staff", None])
    def test_only_admins(self, client: FlaskClient, method: str, path: str, role: str | None) -> None:
        headers = sign_in(make_customer(role=role)) if role else {}
        response = client.open(path, method=method, headers=headers)

        assert response.status_code == (403 if role else 401)
        assert response.content_type == "application/problem+json"


class TestResend:
    @pytest.mark.parametrize(
        ("status", "attempts", "unknowns"), [("failed", 1, 0), ("failed", 20, 1), ("unknown", 3, 3), ("failed", 0, 0)]
    )
    def test_message_that_was_given_up_is_due_with_a_fresh_allowance(
        self, client: FlaskClient, admin: dict[str, str], status: str, attempts: int, unknowns: int
    ) -> None:
        message = make_notification(
            status=status, attempts=attempts, unknowns=unknowns, next_attempt_at=None, error="no answer"
        )

        response = client.post(f"/notifications/{message}/resend", headers=admin)

        assert response.status_code == 200
        answer = response.json or {}
        assert (answer["id"], answer["status"], answer["attempts"]) == (message, "pending", attempts)
        expected = {
            "status": "pending",
            "attempts": attempts,
            "max_attempts": attempts + MAX_ATTEMPTS,
            "unknowns": 0,
            "leased_until": None,
        }
        assert pick(message, *expected) == expected
        assert find_notification(message)["next_attempt_at"] is not None
        assert doorbell().depth(NOTIFY) == 1

    @pytest.mark.parametrize(
        ("overrides", "reason"),
        [
            ({"status": "pending"}, "waits to be sent"),
            (
                {"status": "sending", "next_attempt_at": None, "leased_until": "now() + interval '1 minute'"},
                "is being sent just now",
            ),
            ({"status": "sent", "next_attempt_at": None}, "was sent, and is not sent twice"),
            ({"status": "delivered", "next_attempt_at": None}, "has arrived, and is not sent twice"),
            (
                {"status": "unknown", "unknowns": 1, "next_attempt_at": "now() + interval '1 minute'"},
                "may have arrived; if its report stays away it will be sent again by itself",
            ),
        ],
    )
    def test_other_messages_are_not_touched(
        self, client: FlaskClient, admin: dict[str, str], overrides: dict[str, Any], reason: str
    ) -> None:
        message = make_notification(**overrides)
        before = find_notification(message)

        response = client.post(f"/notifications/{message}/resend", headers=admin)

        problem = response.json or {}
        assert (response.status_code, problem["code"]) == (409, "not_resendable")
        assert problem["detail"] == f"Notification {message} {reason}."
        assert problem["current_status"] == overrides["status"]
        assert find_notification(message) == before
        assert doorbell().depth(NOTIFY) == 0

    @pytest.mark.parametrize("notification_id", [1, MAX_ID, MAX_ID + 1])
    def test_unknown_id_is_not_found(self, client: FlaskClient, admin: dict[str, str], notification_id: int) -> None:
        response = client.post(f"/notifications/{notification_id}/resend", headers=admin)

        assert response.status_code == 404
        assert response.content_type == "application/problem+json"

    def test_wish_that_is_repeated_is_refused(self, client: FlaskClient, admin: dict[str, str]) -> None:
        message = make_notification(status="failed", next_attempt_at=None)

        statuses = [client.post(f"/notifications/{message}/resend", headers=admin).status_code for _ in range(2)]

        assert statuses == [200, 409]


class TestDocumentation:
    def test_operations_are_described(self, client: FlaskClient) -> None:
        paths = (client.get("/openapi.json").json or {})["paths"]
        listing = paths["/notifications/"]["get"]
        sending = paths["/notifications/{notification_id}/resend"]["post"]

        assert (listing["operationId"], listing["x-access"]) == ("list_notifications", "admin")
        assert {"200", "401", "403", "422", "503"} == set(listing["responses"])
        assert {parameter["name"] for parameter in listing["parameters"]} == {
            "status",
            "channel",
            "event",
            "order_id",
            "recipient",
            "campaign_id",
            "limit",
            "cursor",
        }
        assert (sending["operationId"], sending["x-access"]) == ("resend_notification", "admin")
        assert {"200", "401", "403", "404", "409", "503"} == set(sending["responses"])

    def test_example_has_the_fields_of_the_schema(self) -> None:
        assert set(NOTIFICATION_EXAMPLE) == set(NotificationSchema().fields)
        assert NOTIFICATION_EXAMPLE["recipient"] != PHONE
