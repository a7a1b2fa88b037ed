"""Ways into somebody else's account: what was sent before a change, and sign-ins that meet one."""

from concurrent.futures import Future, ThreadPoolExecutor

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.auth.sessions import start_session
from grocery.db import db, transaction
from tests.auth.codes.conftest import PHONE, LogIn, ReadSecret
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in
from tests.waiting import wait_until

EMAIL = "wanjiku@example.com"
NEW, STOLEN = "another long password", "what the thief chose"

# A personal number of the United Kingdom: it forwards calls, at a price.
PREMIUM_PHONE = "+447012345678"


def is_anyone_waiting(run_sql: RunSql) -> bool:
    return run_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != [(0,)]


def test_changed_password_voids_what_was_sent_to_reset_it(client: FlaskClient, read_secret: ReadSecret) -> None:
    headers = sign_in(make_customer(email=EMAIL))
    client.post("/auth/password/forgot", json={"email": EMAIL})
    body = {"current_password": PASSWORD, "password": NEW}
    assert client.post("/auth/password", json=body, headers=headers).status_code == 200
    answer = client.post("/auth/password/reset", json={"token": read_secret(EMAIL), "password": STOLEN})
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_code")
    assert client.post("/auth/login", json={"email": EMAIL, "password": NEW}).status_code == 200


def test_reset_by_phone_voids_the_token_that_was_sent_at_the_same_moment(
    client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    other = make_customer()
    for body in ({"email": EMAIL}, {"phone": PHONE}, {"email": other.email}):
        assert client.post("/auth/password/forgot", json=body).status_code == 202
    # Two that are sent at once do not see each other, and both live.
    run_sql("UPDATE one_time_codes SET expires_at = now() + interval '5 minutes'")
    body = {"phone": PHONE, "code": read_secret(PHONE), "password": NEW}
    assert client.post("/auth/password/reset", json=body).status_code == 204
    late = client.post("/auth/password/reset", json={"token": read_secret(EMAIL), "password": STOLEN})
    assert (late.status_code, late.json["code"]) == (401, "invalid_code")
    others = {"token": read_secret(str(other.email)), "password": NEW}
    assert client.post("/auth/password/reset", json=others).status_code == 204


def test_sign_in_that_has_begun_cannot_outlive_a_change_of_the_password(
    client: FlaskClient, app: Flask, run_sql: RunSql
) -> None:
    person = make_customer(email=EMAIL)
    headers = sign_in(person)
    body = {"current_password": PASSWORD, "password": NEW}

    def change() -> TestResponse:
        return app.test_client().post("/auth/password", json=body, headers=headers)

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            thief = start_session(person.id)
            answer: Future[TestResponse] = pool.submit(change)
            wait_until(lambda: answer.done() or is_anyone_waiting(run_sql))
        assert answer.result(timeout=60).status_code == 200
    dead = client.get("/auth/me", headers=bearer(thief.access_token))
    assert (dead.status_code, dead.json["code"]) == (401, "token_revoked")
    mine = bearer(answer.result().json["access_token"])
    assert client.get("/auth/me", headers=mine).status_code == 200


def test_sign_in_by_a_phone_that_is_taken_off_meanwhile_fails(
    client: FlaskClient, app: Flask, run_sql: RunSql, send_code: ReadSecret
) -> None:
    """As when the owner of the e-mail address resets the password of an account that a stranger has made with it."""
    person = make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    body = {"phone": PHONE, "code": send_code()}

    def log_in_meanwhile() -> TestResponse:
        return app.test_client().post("/auth/otp/login", json=body)

    with ThreadPoolExecutor(1) as pool, db.engine.connect() as change:
        change.execute(text("SELECT id FROM customers FOR UPDATE"))
        answer = pool.submit(log_in_meanwhile)
        wait_until(lambda: is_anyone_waiting(run_sql))
        change.execute(text("UPDATE customers SET phone_verified_at = NULL"))
        change.commit()
        assert answer.result(timeout=60).json["code"] == "invalid_code"
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]
    assert run_sql("SELECT id FROM customers") == [(person.id,)]


def test_contact_that_costs_its_caller_gets_no_code(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer(phone=PREMIUM_PHONE)
    answer = client.post("/auth/phone/verify", json={"password": PASSWORD}, headers=sign_in(person))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["phone"])
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_changed_password_is_told(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer(email=EMAIL)
    headers = sign_in(person)
    told = "SELECT channel, recipient FROM notifications WHERE event = 'account_changed'"
    guessed = {"current_password": "a wrong guess", "password": STOLEN}
    assert client.post("/auth/password", json=guessed, headers=headers).status_code == 403
    assert run_sql(told) == []
    body = {"current_password": PASSWORD, "password": NEW}
    assert client.post("/auth/password", json=body, headers=headers).status_code == 200
    assert run_sql(told) == [("email", EMAIL)]


def test_number_that_moved_takes_no_reset_with_it(
    client: FlaskClient, read_secret: ReadSecret, send_code: ReadSecret, log_in: LogIn
) -> None:
    """A code for the former holder's account is of no use once somebody else has proved the number."""
    former = make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    newcomer = make_customer()
    headers = sign_in(newcomer)
    client.post("/auth/password/forgot", json={"phone": PHONE})
    code = read_secret(PHONE)
    client.post("/auth/phone/verify", json={"phone": PHONE, "password": PASSWORD}, headers=headers)
    own = {"code": read_secret(PHONE)}
    assert client.post("/auth/phone/confirm", json=own, headers=headers).status_code == 200
    body = {"phone": PHONE, "code": code, "password": STOLEN}
    assert client.post("/auth/password/reset", json=body).status_code == 401
    assert client.post("/auth/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 200
    token = log_in(send_code()).json["access_token"]
    assert client.get("/auth/me", headers=bearer(token)).json["id"] == newcomer.id
    robbed = find_person(former.id)
    assert robbed is not None
    assert robbed.phone is None
