"""What people wrote, read by admins over HTTP and by operators at the command line."""

import json

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from grocery.db import db
from tests.auth.factories import make_customer, sign_in
from tests.notify.clients import PHONE
from tests.notify.inbound.conftest import Ask, Sql

OTHER_PHONE = "+254722000002"


@pytest.fixture
def written(ask: Ask) -> None:
    """Four texts of two phones: understood, not understood, ignored, understood."""
    ask("HELP")
    ask("Do you have mangoes?")
    ask("And pineapples?")
    ask("STOP", OTHER_PHONE)


@pytest.fixture
def admin(context: None) -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


def texts(client: FlaskClient, headers: dict[str, str], query: str = "") -> list[str]:
    answer = client.get(f"/inbound-sms/{query}", headers=headers)
    assert answer.status_code == 200, answer.json
    return [row["text"] for row in answer.json]


@pytest.mark.usefixtures("written")
class TestOverHttp:
    def test_lists_the_newest_first_with_all_that_is_known(
        self, client: FlaskClient, admin: dict[str, str], run_sql: Sql
    ) -> None:
        [(newest, received_at)] = run_sql("SELECT id, received_at FROM inbound_sms ORDER BY id DESC LIMIT 1")

        rows = client.get("/inbound-sms/", headers=admin).json

        assert rows[0] == {
            "id": newest,
            "phone": OTHER_PHONE,
            "short_code": "22384",
            "text": "STOP",
            "status": "answered",
            "command": "stopped",
            "error": None,
            "customer_id": None,
            "received_at": f"{received_at:%Y-%m-%dT%H:%M:%S.%f}Z",
        }
        assert [row["text"] for row in rows] == ["STOP", "And pineapples?", "Do you have mangoes?", "HELP"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("?is_understood=false", ["And pineapples?", "Do you have mangoes?"]),
            ("?is_understood=true", ["STOP", "HELP"]),
            ("?status=ignored", ["And pineapples?"]),
            ("?phone=0722000002", ["STOP"]),
            ("?phone=%2B254711000001&is_understood=true", ["HELP"]),
        ],
    )
    def test_filters(self, client: FlaskClient, admin: dict[str, str], query: str, expected: list[str]) -> None:
        assert texts(client, admin, query) == expected

    def test_pages(self, client: FlaskClient, admin: dict[str, str]) -> None:
        first = client.get("/inbound-sms/?limit=3&status=answered", headers=admin)
        assert "Link" not in first.headers
        first = client.get("/inbound-sms/?limit=2", headers=admin)
        second = client.get(first.headers["Link"].split(">")[0].strip("<"), headers=admin)
        assert [row["text"] for row in first.json + second.json] == [
            "STOP",
            "And pineapples?",
            "Do you have mangoes?",
            "HELP",
        ]
        assert "Link" not in second.headers

    @pytest.mark.parametrize("query", ["?status=unread", "?phone=mango", "?is_understood=perhaps", "?since=2026"])
    def test_bad_filters_are_refused(self, client: FlaskClient, admin: dict[str, str], query: str) -> None:
        assert client.get(f"/inbound-sms/{query}", headers=admin).status_code == 422

    def test_staff_do_not_read_what_people_write(self, client: FlaskClient, context: None) -> None:
        staff = sign_in(make_customer(role="staff"))
        assert client.get("/inbound-sms/", headers=staff).status_code == 403


@pytest.mark.usefixtures("written")
class TestAtTheCommandLine:
    def run(self, app: Flask, *arguments: str) -> Result:
        db.session.remove()
        return app.test_cli_runner().invoke(args=["notify", "inbound", "list", *arguments])

    def test_table(self, app: Flask) -> None:
        result = self.run(app, "--not-understood")

        heading, *lines = result.output.splitlines()
        assert result.exit_code == 0
        assert heading.split() == ["id", "received", "phone", "status", "command", "text"]
        assert [line.split(maxsplit=6)[3:] for line in lines] == [
            [PHONE, "ignored", "-", "And pineapples?"],
            [PHONE, "answered", "-", "Do you have mangoes?"],
        ]

    def test_json_with_filters(self, app: Flask) -> None:
        result = self.run(app, "--json", "--phone", "0711 000 001", "--status", "answered", "--limit", "1")

        assert [(row["text"], row["command"]) for row in json.loads(result.output)] == [("Do you have mangoes?", None)]

    def test_bad_phone_is_one_clear_line(self, app: Flask) -> None:
        result = self.run(app, "--phone", "mango")

        assert (result.exit_code, result.output) == (1, "Error: Is not a phone number.\n")
