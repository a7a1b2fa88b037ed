"""POST /auth/refresh: rotation, lost answers, stolen tokens; and the cleaning up after all of it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth import sessions
from grocery.queues import periodic_task
from tests.auth.conftest import RunSql
from tests.auth.factories import bearer, make_customer, token_pair


def refresh(client: FlaskClient, token: str, key: str | None = None) -> TestResponse:
    return client.post("/auth/refresh", headers=headers(token, key))


def headers(token: str, key: str | None = None) -> dict[str, str]:
    return {**bearer(token), **({"Idempotency-Key": key} if key else {})}


def assert_dead(client: FlaskClient, *access_tokens: str) -> None:
    for token in access_tokens:
        response = client.get("/auth/me", headers=bearer(token))
        assert (response.status_code, response.json["code"]) == (401, "token_revoked")


def test_refresh_answers_a_new_pair_that_works(client: FlaskClient) -> None:
    first = token_pair(make_customer())
    response = refresh(client, first.refresh_token)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json["refresh_token"] != first.refresh_token
    assert client.get("/auth/me", headers=bearer(response.json["access_token"])).status_code == 200
    assert refresh(client, response.json["refresh_token"]).status_code == 200


def test_reuse_ends_the_whole_sign_in(client: FlaskClient) -> None:
    person = make_customer()
    first, elsewhere = token_pair(person), token_pair(person)
    second = refresh(client, first.refresh_token).json
    reused = refresh(client, first.refresh_token)
    assert (reused.status_code, reused.json["code"]) == (401, "token_revoked")
    assert_dead(client, first.access_token, second["access_token"])
    assert refresh(client, second["refresh_token"]).json["code"] == "token_revoked"
    assert client.get("/auth/me", headers=bearer(elsewhere.access_token)).status_code == 200


def test_same_token_and_key_within_30_s_repeat_the_very_same_pair(client: FlaskClient) -> None:
    first = token_pair(make_customer())
    answer = refresh(client, first.refresh_token, "exchange-1")
    again = refresh(client, first.refresh_token, "exchange-1")
    assert (again.status_code, again.data) == (200, answer.data)
    assert refresh(client, again.json["refresh_token"], "exchange-2").status_code == 200


@pytest.mark.parametrize(("first_key", "second_key"), [("one", "two"), ("one", None), (None, "one"), (None, None)])
def test_another_key_is_reuse(client: FlaskClient, first_key: str | None, second_key: str | None) -> None:
    first = token_pair(make_customer())
    second = refresh(client, first.refresh_token, first_key).json
    assert refresh(client, first.refresh_token, second_key).json["code"] == "token_revoked"
    assert_dead(client, second["access_token"])


def test_same_key_after_30_s_is_reuse(client: FlaskClient, run_sql: RunSql) -> None:
    first = token_pair(make_customer())
    second = refresh(client, first.refresh_token, "exchange-1").json
    run_sql("UPDATE token_families SET issued_at = issued_at - interval '31 seconds'")
    assert refresh(client, first.refresh_token, "exchange-1").json["code"] == "token_revoked"
    assert_dead(client, second["access_token"])


def test_same_key_with_a_token_of_two_exchanges_ago_is_reuse(client: FlaskClient) -> None:
    first = token_pair(make_customer())
    second = refresh(client, first.refresh_token, "same").json
    third = refresh(client, second["refresh_token"], "same").json
    assert refresh(client, first.refresh_token, "same").json["code"] == "token_revoked"
    assert_dead(client, third["access_token"])


@pytest.mark.parametrize("key", ["x" * 256, "with space", "é"])
def test_unusable_key_spends_no_token(client: FlaskClient, key: str) -> None:
    first = token_pair(make_customer())
    assert refresh(client, first.refresh_token, key).status_code == 422
    assert refresh(client, first.refresh_token).status_code == 200


def test_token_without_its_family_is_revoked(client: FlaskClient, run_sql: RunSql) -> None:
    pair = token_pair(make_customer())
    run_sql("DELETE FROM token_families")
    assert refresh(client, pair.refresh_token).json["code"] == "token_revoked"


@pytest.mark.parametrize("change", ["is_active = false", "role = 'staff'"])
def test_refresh_follows_the_person_and_not_the_token(client: FlaskClient, run_sql: RunSql, change: str) -> None:
    pair = token_pair(make_customer())
    run_sql(f"UPDATE customers SET {change}")
    assert refresh(client, pair.refresh_token).status_code == (401 if "is_active" in change else 200)


def test_two_at_once_with_the_same_key_get_the_same_pair(
    client: FlaskClient, at_once: Callable[..., list[TestResponse]]
) -> None:
    for round_number in range(5):
        first = token_pair(make_customer())
        request = {"path": "/auth/refresh", "method": "POST", "headers": headers(first.refresh_token, "same")}
        one, other = at_once(request, request)
        assert (one.status_code, other.status_code) == (200, 200), round_number
        assert one.data == other.data
        assert refresh(client, one.json["refresh_token"]).status_code == 200


def test_of_two_at_once_without_a_key_one_wins_and_the_sign_in_ends(
    client: FlaskClient, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    first = token_pair(make_customer())
    request: dict[str, Any] = {"path": "/auth/refresh", "method": "POST", "headers": headers(first.refresh_token)}
    answers = at_once(request, request)
    assert sorted(answer.status_code for answer in answers) == [200, 401]
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert_dead(client, winner.json["access_token"])


def test_cleaning_up_is_a_task_of_the_relay(app: Flask) -> None:
    tasks = [task for _, answered in periodic_task.send(app) for task in answered]
    assert [task.every_seconds for task in tasks if task.run is sessions.delete_expired_sessions] == [3600]


def test_expired_rows_are_deleted_and_others_stay(
    client: FlaskClient, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_CLEANING_BATCH", 2)
    person = make_customer()
    for table, column in (("token_families", "id"), ("token_blocklist", "token_id")):
        extra = ", access_jti, refresh_jti, issued_at" if table == "token_families" else ""
        values = ", gen_random_uuid(), gen_random_uuid(), now()" if extra else ""
        run_sql(
            f"INSERT INTO {table} ({column}, customer_id, expires_at{extra}) SELECT gen_random_uuid(), :id,"
            f" now() + n * interval '1 hour'{values} FROM generate_series(-4, 3) AS n WHERE n <> 0",
            id=person.id,
        )
    sessions.delete_expired_sessions()
    for table in ("token_families", "token_blocklist"):
        assert run_sql(f"SELECT count(*), count(*) FILTER (WHERE expires_at > now()) FROM {table}") == [(3, 3)]
