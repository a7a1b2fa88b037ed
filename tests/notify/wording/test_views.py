"""/texts: the shop's own words by the API."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.notify.wording.catalogue import list_keys
from grocery.notify.wording.schemas import (
    PREVIEW_EXAMPLE,
    SUMMARY_EXAMPLE,
    TEXT_EXAMPLE,
    PreviewsSchema,
    TextSchema,
    TextSummarySchema,
)
from tests.auth.factories import make_customer, sign_in
from tests.notify.wording.conftest import RunSql, Write

pytestmark = pytest.mark.usefixtures("context")

PATH = "/texts/order_delivered/customer/sms/en"
SOURCE = "{{ shop|short(30) }}: order {{ order.number }} is with you. Karibu tena!"
KEY = {"event": "order_delivered", "audience": "customer", "channel": "sms", "language": "en"}


@pytest.fixture
def admin() -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


@pytest.fixture
def ask(client: FlaskClient, admin: dict[str, str]) -> Callable[..., Any]:
    def request(method: str, path: str = PATH, status: int = 200, **kwargs: Any) -> Any:
        response = client.open(path, method=method, headers=admin, **kwargs)
        assert response.status_code == status, response.json
        return response.json if response.data else None

    return request


@pytest.mark.parametrize(
    ("schema", "example"),
    [(PreviewsSchema, PREVIEW_EXAMPLE), (TextSummarySchema, SUMMARY_EXAMPLE), (TextSchema, TEXT_EXAMPLE)],
)
def test_examples_have_the_fields_of_the_schema(schema: Any, example: dict[str, Any]) -> None:
    assert example.keys() == schema().fields.keys()


def test_list_has_every_text_and_tells_which_are_the_shops_own(ask: Any, write: Write) -> None:
    write(SOURCE, "order_delivered")
    write("{{ broken", "order_placed", language="sw")

    texts = ask("GET", "/texts/")

    assert [tuple(text[name] for name in KEY) for text in texts] == [tuple(key) for key in list_keys()]
    own = [text for text in texts if text["is_overridden"]]
    assert [(text["event"], text["language"]) for text in own] == [("order_delivered", "en"), ("order_placed", "sw")]
    assert own[0]["problem"] is None
    assert own[0]["updated_at"].endswith("Z")
    assert own[1]["problem"].startswith("Line 1: ")
    assert {(text["problem"], text["updated_at"]) for text in texts if not text["is_overridden"]} == {(None, None)}


def test_text_of_the_program(ask: Any) -> None:
    text = ask("GET")

    assert {name: text[name] for name in KEY} == KEY
    assert (text["is_overridden"], text["updated_at"], text["updated_by"], text["problem"]) == (False, None, None, None)
    assert text["source"] == text["built_in_source"]
    assert "was {{" in text["source"]
    assert text["previews"][0]["variant"] == "usual"
    assert text["previews"][0]["body"].startswith("Test Grocer: order G-7K3M9Q was delivered.")
    assert (text["previews"][0]["encoding"], text["previews"][0]["parts"]) == ("GSM-7", 1)
    assert text["warnings"] == []


def test_email_has_a_subject_and_no_length(ask: Any) -> None:
    [usual, *_] = ask("GET", "/texts/order_delivered/customer/email/en")["previews"]

    assert usual["subject"] == "Your order G-7K3M9Q was delivered"
    assert (usual["encoding"], usual["length"], usual["parts"], usual["outside_gsm7"]) == (None, None, None, None)


def test_own_text_is_set_read_and_removed(ask: Any, client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer(role="admin")
    response = client.put(PATH, json={"source": f"  {SOURCE}\n"}, headers=sign_in(person))
    text: Any = response.json

    assert response.status_code == 200
    assert (text["is_overridden"], text["source"], text["updated_by"]) == (True, SOURCE, person.id)
    assert text["built_in_source"] != SOURCE
    assert text["previews"][0]["body"] == "Test Grocer: order G-7K3M9Q is with you. Karibu tena!"
    assert ask("GET") == text
    assert run_sql("SELECT source, updated_by FROM text_overrides") == [(SOURCE, person.id)]

    ask("DELETE", status=204)

    assert ask("GET")["is_overridden"] is False
    assert ask("DELETE", status=404)["code"] == "own_text_not_found"


def test_own_text_outlives_the_admin_who_wrote_it(ask: Any, run_sql: RunSql) -> None:
    ask("PUT", json={"source": SOURCE})
    run_sql("DELETE FROM customers")

    assert run_sql("SELECT source, updated_by FROM text_overrides") == [(SOURCE, None)]


def test_own_text_that_does_not_work_is_shown_with_its_problem_and_reads_as_the_programs(
    ask: Any, write: Write
) -> None:
    write("{{ order.colour }}", "order_delivered")

    text = ask("GET")

    assert text["problem"] == "Line 1: there is no value colour (with the values of the variant usual)"
    assert (text["source"], text["is_overridden"]) == ("{{ order.colour }}", True)
    assert text["previews"][0]["body"].startswith("Test Grocer: order G-7K3M9Q was delivered.")


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            {"source": "a\n{{ order.colour }}"},
            ["Line 2: there is no value colour (with the values of the variant usual)"],
        ),
        ({"source": "{% for i in range(10**9) %}{% endfor %}"}, None),
        ({"source": "x" * 5001}, ["Length must be between 1 and 5000."]),
        ({"source": "a\x00b"}, ["Has a character that cannot be stored."]),
        ({"source": ""}, ["Length must be between 1 and 5000."]),
        ({"source": None}, ["Field may not be null."]),
        ({"source": ["a"]}, ["Not a valid string."]),
        ({}, ["Missing data for required field."]),
    ],
)
def test_bad_text_is_refused_by_field_and_changes_nothing(
    ask: Any, run_sql: RunSql, body: dict[str, Any], messages: list[str] | None
) -> None:
    problem = ask("PUT", status=422, json=body)

    assert messages is None or problem["errors"].get("source", problem["errors"]) == messages
    assert "source" in problem["errors"]
    assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]


@pytest.mark.parametrize(
    "path",
    [
        "/texts/order_packed/customer/sms/en",
        "/texts/order_delivered/customer/sms/fr",
        "/texts/order_delivered/nobody/sms/en",
        "/texts/_order/customer/sms/en",
        "/texts/..%5C..%5Csecret/customer/sms/en",
        "/texts/%00/customer/sms/en",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_text_that_there_is_not_is_not_found(ask: Any, method: str, path: str) -> None:
    body = {"json": {"source": 5}} if method == "PUT" else {}

    assert ask(method, path, 404, **body)["code"] == "text_not_found"


def test_preview_of_what_is_sent_now(ask: Any, write: Write) -> None:
    write("{{ shop }} {{ order.number }} ĩ", "order_delivered")

    shown = ask("POST", "/texts/preview", json=KEY)

    assert {name: shown[name] for name in KEY} == KEY
    assert shown["previews"][0] == {
        "variant": "usual",
        "subject": None,
        "body": "Test Grocer G-7K3M9Q ĩ",
        "encoding": "UCS-2",
        "length": 22,
        "parts": 1,
        "outside_gsm7": ["ĩ"],
    }
    assert shown["warnings"][0] == "usual: ĩ cannot be sent in GSM-7."


def test_preview_of_a_source_changes_nothing(ask: Any, run_sql: RunSql) -> None:
    shown = ask("POST", "/texts/preview", json={**KEY, "source": SOURCE})

    variants = [preview["variant"] for preview in shown["previews"]]
    assert variants[:3] == ["usual", "pickup", "slot"]
    assert {preview["body"] for preview in shown["previews"]} == {
        "Test Grocer: order G-7K3M9Q is with you. Karibu tena!"
    }
    assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"source": "{{ broken"}, 422, "bad_text"),
        ({"event": "order_lost"}, 404, "text_not_found"),
        ({"channel": "pigeon"}, 422, "validation_failed"),
        ({"language": "fr"}, 422, "validation_failed"),
        ({"colour": "red"}, 422, "validation_failed"),
    ],
)
def test_preview_of_what_there_is_not(ask: Any, change: dict[str, Any], status: int, code: str) -> None:
    assert ask("POST", "/texts/preview", status, json={**KEY, **change})["code"] == code


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_texts_are_for_admins(client: FlaskClient, role: str, run_sql: RunSql) -> None:
    headers = sign_in(make_customer(role=role))

    assert client.get("/texts/", headers=headers).status_code == 403
    assert client.put(PATH, json={"source": SOURCE}, headers=headers).status_code == 403
    assert client.post("/texts/preview", json=KEY).status_code == 401
    assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]
