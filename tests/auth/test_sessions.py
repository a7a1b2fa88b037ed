"""/auth/sessions: where one is signed in, and ending it from afar."""

import uuid
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from sqlalchemy import event

from grocery.auth.tokens import TokenPair
from grocery.auth.user_agents import describe_device
from grocery.config import Settings
from grocery.db import db
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, sign_in, token_pair

_ON_ANDROID = "Mozilla/5.0 (Linux; Android 10; itel A16) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"


def family(pair: TokenPair, client: FlaskClient) -> str:
    """The id of the sign-in of a pair."""
    listed = client.get("/auth/sessions", headers=bearer(pair.access_token)).json
    return next(session["id"] for session in listed if session["is_current"])


def status(client: FlaskClient, pair: TokenPair) -> tuple[int, int]:
    """What the access token opens, and what the refresh token: (200, 200) while the sign-in lives."""
    access = client.get("/auth/me", headers=bearer(pair.access_token)).status_code
    return access, client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code


def test_a_sign_in_is_listed_with_its_device_and_times(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    body = {"email": person.email, "password": PASSWORD}
    token = client.post("/auth/login", json=body, headers={"User-Agent": _ON_ANDROID}).json["access_token"]
    run_sql("UPDATE token_families SET created_at = '2026-03-02T08:15:00Z', issued_at = '2026-03-09T17:40:00Z'")
    answer = client.get("/auth/sessions", headers=bearer(token))
    assert answer.status_code == 200
    [(family_id,)] = run_sql("SELECT id FROM token_families")
    assert answer.json == [
        {
            "id": str(family_id),
            "device": "Chrome, Android",
            "created_at": "2026-03-02T08:15:00Z",
            "last_used_at": "2026-03-09T17:40:00Z",
            "is_current": True,
        }
    ]


def test_only_own_sign_ins_that_live_are_listed_the_newest_first(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    token_pair(make_customer())
    expired, ended, old, new = (token_pair(person) for _ in range(4))
    run_sql("UPDATE token_families SET expires_at = now() WHERE id = :id", id=family(expired, client))
    client.post("/auth/logout", headers=bearer(ended.access_token))
    listed = client.get("/auth/sessions", headers=bearer(old.access_token)).json
    assert [(session["id"], session["is_current"]) for session in listed] == [
        (family(new, client), False),
        (family(old, client), True),
    ]


def test_rotating_moves_the_last_use_and_not_the_beginning(client: FlaskClient, run_sql: RunSql) -> None:
    pair = token_pair(make_customer())
    past = "now() - interval '1 day'"
    run_sql(f"UPDATE token_families SET created_at = {past}, issued_at = {past}")
    token = client.post("/auth/refresh", headers=bearer(pair.refresh_token)).json["access_token"]
    [session] = client.get("/auth/sessions", headers=bearer(token)).json
    assert session["last_used_at"] > session["created_at"]


def test_pages_follow_each_other_without_gaps_even_for_the_same_moment(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    headers = sign_in(person)
    for _ in range(6):
        token_pair(person)
    run_sql("UPDATE token_families SET created_at = '2026-03-02T08:15:00.123456Z'")
    seen, address = [], "/auth/sessions?limit=3"
    while address:
        answer = client.get(address, headers=headers)
        seen.append([session["id"] for session in answer.json])
        address = answer.headers.get("Link", "").partition(">")[0].removeprefix("<http://localhost")
    assert [len(page) for page in seen] == [3, 3, 1]
    assert len({one for page in seen for one in page}) == 7


@pytest.mark.parametrize("cursor", ["x", "WzEsICJ4Il0", "Wzk5OTk5OTk5OTk5OTk5OTk5OSwgIngiXQ", "WzEsMV0"])
def test_a_made_up_cursor_is_422(client: FlaskClient, cursor: str) -> None:
    answer = client.get(f"/auth/sessions?cursor={cursor}", headers=sign_in(make_customer()))
    assert (answer.status_code, answer.json["code"]) == (422, "bad_cursor")


def test_ending_one_kills_its_tokens_and_no_others(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    here, lost, other = (token_pair(person) for _ in range(3))
    answer = client.delete(f"/auth/sessions/{family(lost, client)}", headers=bearer(here.access_token))
    assert (answer.status_code, answer.data) == (204, b"")
    assert status(client, lost) == (401, 401)
    assert status(client, here) == status(client, other) == (200, 200)
    assert run_sql("SELECT actor_id, subject_id FROM audit_log WHERE action = 'session_ended'") == [
        (person.id, person.id)
    ]


def test_one_that_was_ended_elsewhere_cannot_rotate_out_of_it(client: FlaskClient) -> None:
    person = make_customer()
    here, lost = token_pair(person), token_pair(person)
    session_id = family(lost, client)
    newer = client.post("/auth/refresh", headers={**bearer(lost.refresh_token), "Idempotency-Key": "k"}).json
    client.delete(f"/auth/sessions/{session_id}", headers=bearer(here.access_token))
    repeated = client.post("/auth/refresh", headers={**bearer(lost.refresh_token), "Idempotency-Key": "k"})
    assert (repeated.status_code, repeated.json["code"]) == (401, "token_revoked")
    assert status(client, TokenPair(newer["access_token"], newer["refresh_token"])) == (401, 401)


def test_ending_the_current_one_is_signing_out(client: FlaskClient) -> None:
    pair = token_pair(make_customer())
    assert client.delete(f"/auth/sessions/{family(pair, client)}", headers=bearer(pair.access_token)).status_code == 204
    assert status(client, pair) == (401, 401)


def test_what_is_not_ones_own_or_has_ended_is_404_and_stays(client: FlaskClient, run_sql: RunSql) -> None:
    person, stranger = make_customer(), token_pair(make_customer(role="admin"))
    here, ended = token_pair(person), token_pair(person)
    ended_id = family(ended, client)
    client.post("/auth/logout", headers=bearer(ended.access_token))
    before = run_sql("SELECT count(*) FROM token_blocklist")
    for session_id in (family(stranger, client), ended_id, str(uuid.uuid4()), "1", "%00", "x" * 5000):
        answer = client.delete(f"/auth/sessions/{session_id}", headers=bearer(here.access_token))
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert run_sql("SELECT count(*) FROM token_blocklist") == before
    assert status(client, stranger) == (200, 200)


def test_ending_all_others_leaves_this_one_and_other_people(client: FlaskClient, settings: Settings) -> None:
    person = make_customer()
    here, *others = (token_pair(person) for _ in range(4))
    stranger = token_pair(make_customer())
    assert client.delete("/auth/sessions", headers=bearer(here.access_token)).status_code == 204
    redis.Redis.from_url(settings.redis_url or "").flushall()
    assert [status(client, pair) for pair in others] == [(401, 401)] * 3
    assert status(client, here) == status(client, stranger) == (200, 200)
    assert [session["is_current"] for session in client.get("/auth/sessions", headers=sign_in(person)).json] == [
        True,
        False,
    ]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("DELETE", f"/{uuid.UUID(int=1)}")])
def test_neither_visitors_nor_refresh_tokens_come_in(client: FlaskClient, method: str, path: str) -> None:
    pair = token_pair(make_customer())
    for headers in ({}, bearer(pair.refresh_token)):
        assert client.open(f"/auth/sessions{path}", method=method, headers=headers).status_code == 401
    assert status(client, pair) == (200, 200)


def test_the_list_costs_two_statements(client: FlaskClient) -> None:
    headers = sign_in(make_customer())
    seen: list[Any] = []
    for engine in (db.engine, client.application.extensions["reads"]):
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert client.get("/auth/sessions", headers=headers).status_code == 200
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (_ON_ANDROID, "Chrome, Android"),
        ("Opera/9.80 (Android; Opera Mini/36.2/119.132; U; en) Presto/2.12.423", "Opera Mini, Android"),
        ("Mozilla/5.0 (Mobile; Nokia 8110; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", "Firefox, KaiOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0 Safari/537.36 Edg/120.0", "Edge, Windows"),
        ("Firefox", "Firefox"),
        ("okhttp/4.12.0", "okhttp/4.12.0"),
        ("  curl/8.0 (x86_64)", "curl/8.0"),
        ("a" * 5000, "a" * 60),
        ("evil\x00\n<script>alert(1)</script>", "evil"),
        ("<script>", None),
        ("\u202egnp.exe", None),
        ("", None),
    ],
)
def test_a_device_is_told_in_a_few_harmless_words(user_agent: str, device: str | None) -> None:
    assert describe_device(user_agent) == device


def test_a_sign_in_without_a_user_agent_is_listed_all_the_same(client: FlaskClient) -> None:
    [session] = client.get("/auth/sessions", headers=sign_in(make_customer())).json
    assert session["device"] is None
