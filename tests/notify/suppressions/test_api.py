"""GET /suppressions/ and DELETE /suppressions/{channel}/{address}."""

import pytest
from flask.testing import FlaskClient

from grocery.db import transaction
from grocery.notify.suppressions.schemas import SUPPRESSION_EXAMPLE, SuppressionSchema
from grocery.notify.suppressions.service import is_suppressed, suppress
from tests.auth.factories import make_customer, sign_in
from tests.notify.clients import AMINA, PHONE

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def admin() -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


@pytest.fixture
def full(context: None) -> None:
    with transaction():
        suppress("sms", PHONE, "stop")
        suppress("sms", "+254722000002", "provider", "UserInBlackList")
        suppress("email", AMINA, "bounce", "550 5.1.1 No such user")
        suppress("email", "100%_sure/really@example.com", "bounce")


def addresses(client: FlaskClient, admin: dict[str, str], query: str = "") -> list[str]:
    answer = client.get(f"/suppressions/{query}", headers=admin)
    assert answer.status_code == 200
    return [row["address"] for row in answer.json or []]


@pytest.mark.usefixtures("full")
class TestList:
    def test_row_has_all_fields(self, client: FlaskClient, admin: dict[str, str]) -> None:
        [row] = client.get("/suppressions/?q=722", headers=admin).json or []

        assert row.pop("created_at").endswith("Z")
        assert row == {
            "channel": "sms",
            "address": "+254722000002",
            "reason": "provider",
            "detail": "UserInBlackList",
        }

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["100%_sure/really@example.com", AMINA, PHONE, "+254722000002"]),
            ("?channel=sms", [PHONE, "+254722000002"]),
            ("?channel=email&q=AMINA", [AMINA]),
            ("?q=%25_", ["100%_sure/really@example.com"]),
            ("?q=nobody", []),
        ],
    )
    def test_filters(self, client: FlaskClient, admin: dict[str, str], query: str, expected: list[str]) -> None:
        assert addresses(client, admin, query) == expected

    def test_pages_follow_each_other(self, client: FlaskClient, admin: dict[str, str]) -> None:
        seen, address = [], "/suppressions/?limit=3"
        while address:
            answer = client.get(address, headers=admin)
            seen.append([row["address"] for row in answer.json or []])
            address = answer.headers.get("Link", "").partition(">")[0][1:]

        assert seen == [["100%_sure/really@example.com", AMINA, PHONE], ["+254722000002"]]

    @pytest.mark.parametrize(
        ("query", "field"),
        [("?channel=pigeon", "channel"), ("?q=%00", "q"), ("?cursor=x", "cursor"), ("?cursor=WzFd", "cursor")],
    )
    def test_bad_query_is_refused(self, client: FlaskClient, admin: dict[str, str], query: str, field: str) -> None:
        answer = client.get(f"/suppressions/{query}", headers=admin)

        assert answer.status_code == 422
        assert field in (answer.json or {})["errors"]


@pytest.mark.usefixtures("full")
class TestLift:
    @pytest.mark.parametrize(
        ("channel", "path", "address"),
        [
            ("sms", "+254722000002", "+254722000002"),
            ("email", AMINA.title(), AMINA),
            ("email", "100%25_sure/really@example.com", "100%_sure/really@example.com"),
        ],
    )
    def test_address_is_written_to_again(
        self, client: FlaskClient, admin: dict[str, str], channel: str, path: str, address: str
    ) -> None:
        statuses = [client.delete(f"/suppressions/{channel}/{path}", headers=admin).status_code for _ in range(2)]

        assert statuses == [204, 404]
        assert not is_suppressed(channel, address)
        assert len(addresses(client, admin)) == 3

    def test_who_said_stop_is_left_alone(self, client: FlaskClient, admin: dict[str, str]) -> None:
        answer = client.delete(f"/suppressions/sms/{PHONE}", headers=admin)

        problem = answer.json or {}
        assert (answer.status_code, problem["code"]) == (409, "stopped_by_holder")
        assert problem["detail"] == f"The holder of {PHONE} wants no messages. They come back by sending START."
        assert is_suppressed("sms", PHONE)

        assert client.delete(f"/suppressions/sms/{PHONE}?force=true", headers=admin).status_code == 204

    @pytest.mark.parametrize(
        "path", ["sms/+254700000000", f"email/{PHONE}", "pigeon/coo", "sms/", "sms/%00", "%00/x", "email/%F0%9F%8D%85"]
    )
    def test_unknown_address_is_not_found(self, client: FlaskClient, admin: dict[str, str], path: str) -> None:
        assert client.delete(f"/suppressions/{path}", headers=admin).status_code == 404
        assert len(addresses(client, admin)) == 4

    @pytest.mark.parametrize("query", ["?force=maybe", "?sure=true"])
    def test_bad_query_is_refused(self, client: FlaskClient, admin: dict[str, str], query: str) -> None:
        assert client.delete(f"/suppressions/sms/{PHONE}{query}", headers=admin).status_code == 422


@pytest.mark.parametrize(("method", "path"), [("GET", "/suppressions/"), ("DELETE", "/suppressions/sms/x")])
@pytest.mark.parametrize(("role", "status"), [("customer", 403), ("staff", 403), (None, 401)])
def test_only_admins(client: FlaskClient, method: str, path: str, role: str | None, status: int) -> None:
    headers = sign_in(make_customer(role=role)) if role else {}

    assert client.open(path, method=method, headers=headers).status_code == status


def test_example_has_the_fields_of_the_schema() -> None:
    assert set(SUPPRESSION_EXAMPLE) == set(SuppressionSchema().fields)
