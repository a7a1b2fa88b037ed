"""POST /auth/password."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, sign_in, token_pair

NEW = "a better staple 7"


def change(client: FlaskClient, headers: dict[str, str], **body: Any) -> TestResponse:
    return client.post("/auth/password", json={"current_password": PASSWORD, "password": NEW, **body}, headers=headers)


def log_in(client: FlaskClient, email: str | None, password: str) -> int:
    return client.post("/auth/login", json={"email": email, "password": password}).status_code


def test_another_password_signs_in_and_the_old_one_does_not(client: FlaskClient, run_sql: RunSql) -> None:
    person, other = make_customer(), make_customer()
    answer = change(client, sign_in(person))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert (log_in(client, person.email, NEW), log_in(client, person.email, PASSWORD)) == (200, 401)
    assert log_in(client, other.email, PASSWORD) == 200
    assert run_sql("SELECT actor_id, subject_id, details FROM audit_log WHERE action = 'password_changed'") == [
        (person.id, person.id, None)
    ]


def test_every_sign_in_ends_and_the_answer_is_a_new_one(client: FlaskClient) -> None:
    person = make_customer()
    here, elsewhere, stranger = token_pair(person), token_pair(person), token_pair(make_customer())
    pair = change(client, bearer(here.access_token)).json
    for old in (here, elsewhere):
        assert client.get("/auth/me", headers=bearer(old.access_token)).json["code"] == "token_revoked"
        assert client.post("/auth/refresh", headers=bearer(old.refresh_token)).json["code"] == "token_revoked"
    assert client.get("/auth/me", headers=bearer(pair["access_token"])).status_code == 200
    assert client.post("/auth/refresh", headers=bearer(pair["refresh_token"])).status_code == 200
    assert client.get("/auth/me", headers=bearer(stranger.access_token)).status_code == 200


def test_a_wrong_current_password_changes_nothing(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    pair = token_pair(person)
    before = run_sql("SELECT password_hash, updated_at FROM customers")
    answer = change(client, bearer(pair.access_token), current_password="wrong password")
    assert (answer.status_code, answer.json["code"]) == (403, "wrong_password")
    assert run_sql("SELECT password_hash, updated_at FROM customers") == before
    assert run_sql("SELECT count(*) FROM token_blocklist") == [(0,)]
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'password_changed'") == [(0,)]
    assert client.get("/auth/me", headers=bearer(pair.access_token)).status_code == 200


def test_the_current_password_is_asked_for_however_fresh_the_sign_in_is(client: FlaskClient) -> None:
    answer = client.post("/auth/password", json={"password": NEW}, headers=sign_in(make_customer()))
    assert (answer.status_code, answer.json["errors"]) == (422, {"current_password": ["Is needed."]})


@pytest.mark.parametrize(
    "password", ["1234567", "x" * 129, "Password1", "Wanjiku Kamau", "test grocer", "PERSON@shop.example", "", 12345678]
)
def test_a_new_password_follows_the_rules_of_the_first(client: FlaskClient, run_sql: RunSql, password: Any) -> None:
    person = make_customer(email="person@shop.example")
    before = run_sql("SELECT password_hash FROM customers")
    answer = change(client, sign_in(person), password=password)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])
    assert run_sql("SELECT password_hash FROM customers") == before


def test_a_first_password_needs_a_fresh_sign_in(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer(email="amina@shop.example", password=None)
    headers = sign_in(person)
    run_sql("UPDATE token_families SET created_at = now() - interval '601 seconds'")
    answer = client.post("/auth/password", json={"password": NEW}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "sign_in_again")
    assert run_sql("SELECT password_hash FROM customers") == [(None,)]
    run_sql("UPDATE token_families SET created_at = now() - interval '590 seconds'")
    assert client.post("/auth/password", json={"password": NEW}, headers=headers).status_code == 200
    assert log_in(client, "amina@shop.example", NEW) == 200


def test_refreshing_makes_no_sign_in_fresh(client: FlaskClient, run_sql: RunSql) -> None:
    pair = token_pair(make_customer(password=None))
    run_sql("UPDATE token_families SET created_at = now() - interval '1 hour'")
    token = client.post("/auth/refresh", headers=bearer(pair.refresh_token)).json["access_token"]
    answer = client.post("/auth/password", json={"password": NEW}, headers=bearer(token))
    assert answer.json["code"] == "sign_in_again"


def test_a_sign_in_that_is_gone_is_not_fresh(client: FlaskClient, run_sql: RunSql) -> None:
    headers = sign_in(make_customer(password=None))
    run_sql("DELETE FROM token_families")
    assert change(client, headers, current_password=None).json["code"] == "sign_in_again"


def test_of_two_changes_at_once_one_holds(client: FlaskClient, at_once: Callable[..., list[TestResponse]]) -> None:
    person = make_customer()
    headers = [sign_in(person), sign_in(person)]
    words = ["the first of two", "the second of two"]
    answers = at_once(
        *[
            {
                "path": "/auth/password",
                "method": "POST",
                "headers": sent,
                "json": {"current_password": PASSWORD, "password": word},
            }
            for sent, word in zip(headers, words, strict=True)
        ]
    )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) in ([200, 401], [200, 403])  # the other's sign-in has ended, or the password was another
    assert [log_in(client, person.email, word) for word in words] == [
        200 if status == 200 else 401 for status in statuses
    ]


@pytest.mark.parametrize("field", ["role", "id", "email"])
def test_nothing_else_can_be_changed_with_it(client: FlaskClient, field: str) -> None:
    answer = change(client, sign_in(make_customer()), **{field: "admin"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_whoever_stole_a_token_cannot_find_the_password_with_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(client.application.config, "RATE_LIMIT_LOGIN", "3/minute")
    person, other = make_customer(), make_customer()
    headers = sign_in(person)
    guesses = [change(client, headers, current_password=f"guess number {number}").status_code for number in range(4)]
    assert guesses == [403, 403, 403, 429]
    right = change(client, headers)
    assert (right.status_code, right.json["code"]) == (429, "too_many_requests")
    assert int(right.headers["Retry-After"]) > 0
    assert change(client, sign_in(other)).status_code == 200
