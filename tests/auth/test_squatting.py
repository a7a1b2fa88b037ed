"""Accounts that somebody makes with another one's address, before its owner does."""

import pyotp
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in, token_pair
from tests.auth.second_factor.factories import turn_on_totp

EMAIL, NEW = "wanjiku@example.com", "another long password"
SQUATTERS_PHONE = "+254712345678"


@pytest.fixture
def squatted(context: None) -> Person:
    return make_customer(email=EMAIL, phone=SQUATTERS_PHONE)


def reset(client: FlaskClient, run_sql: RunSql) -> TestResponse:
    """What the owner of the mailbox does."""
    client.post("/auth/password/forgot", json={"email": EMAIL})
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = 'reset_password' ORDER BY id DESC LIMIT 1")
    [token] = [word for word in body.replace("=", " ").split() if len(word) == 43][:1]
    return client.post("/auth/password/reset", json={"token": token, "password": NEW})


def log_in(client: FlaskClient) -> TestResponse:
    return client.post("/auth/login", json={"email": EMAIL, "password": NEW})


def make_unproved(run_sql: RunSql) -> None:
    """As accounts are that turned a second factor on before this took a proved address."""
    run_sql("UPDATE customers SET email_verified_at = NULL")


@pytest.mark.parametrize("is_phone_verified", [False, True])
def test_an_account_with_an_email_that_nobody_proved_gets_no_second_factor(
    client: FlaskClient, run_sql: RunSql, is_phone_verified: bool
) -> None:
    squatter = make_customer(email=EMAIL, phone=SQUATTERS_PHONE, is_phone_verified=is_phone_verified)
    answer = client.post("/auth/totp", json={"password": PASSWORD}, headers=sign_in(squatter))
    assert (answer.status_code, answer.json["code"]) == (409, "unverified")
    assert run_sql("SELECT count(*) FROM second_factors") == [(0,)]
    assert reset(client, run_sql).status_code == 204
    assert log_in(client).status_code == 200


def test_an_account_with_a_verified_phone_alone_gets_one(client: FlaskClient, context: None) -> None:
    headers = sign_in(make_customer(email=None, phone=SQUATTERS_PHONE, is_phone_verified=True))
    begun = client.post("/auth/totp", json={}, headers=headers)
    assert begun.status_code == 200
    code = pyotp.TOTP(begun.json["secret"]).now()
    assert client.post("/auth/totp/confirm", json={"code": code}, headers=headers).status_code == 200


def test_the_first_proof_by_a_reset_takes_off_all_that_was_set_up_before(
    client: FlaskClient, squatted: Person, run_sql: RunSql
) -> None:
    turn_on_totp(squatted)
    make_unproved(run_sql)
    run_sql("UPDATE customers SET phone_verified_at = now(), marketing_sms = true, notify_by = 'sms'")
    pair = token_pair(squatted)
    run_sql("INSERT INTO known_devices (token_hash, customer_id) VALUES ('\\x00', :id)", id=squatted.id)
    client.post("/auth/email", json={"email": "mallory@example.com", "password": PASSWORD}, headers=sign_in(squatted))

    assert reset(client, run_sql).status_code == 204

    owner = find_person(squatted.id)
    assert owner is not None
    assert (owner.is_email_verified, owner.phone, owner.is_phone_verified) == (True, None, False)
    assert (owner.marketing_sms, owner.notify_by) == (False, "sms_and_email")
    for table in ("second_factors", "recovery_codes", "known_devices"):
        assert run_sql(f"SELECT count(*) FROM {table}") == [(0,)]
    assert run_sql("SELECT count(*) FROM one_time_codes WHERE used_at IS NULL AND expires_at > now()") == [(0,)]
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"
    assert client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code == 401
    assert log_in(client).status_code == 200


def test_what_went_is_told_to_the_mailbox_and_to_the_number_that_was_verified(
    client: FlaskClient, squatted: Person, run_sql: RunSql
) -> None:
    run_sql("UPDATE customers SET phone_verified_at = now()")
    reset(client, run_sql)
    told = run_sql("SELECT channel, recipient, body FROM notifications WHERE event = 'account_changed' ORDER BY id")
    assert [message[:2] for message in told] == [("email", EMAIL), ("sms", SQUATTERS_PHONE)]
    assert "confirmed for the\nfirst time" in told[0][2]
    assert told[1][2] == (
        "Test Grocer: this number was taken off an account whose password is new. If it was not you, tell us at once."
    )


def test_a_number_that_nobody_verified_is_told_nothing(client: FlaskClient, squatted: Person, run_sql: RunSql) -> None:
    reset(client, run_sql)
    assert run_sql("SELECT channel FROM notifications WHERE event = 'account_changed'") == [("email",)]


def test_a_later_reset_takes_off_nothing_but_the_sign_ins(client: FlaskClient, context: None, run_sql: RunSql) -> None:
    person = make_customer(email=EMAIL, phone=SQUATTERS_PHONE, is_phone_verified=True)
    factor = turn_on_totp(person)
    headers = sign_in(person)
    assert reset(client, run_sql).status_code == 204
    assert log_in(client).json["code"] == "totp_required"
    body = {"email": EMAIL, "password": NEW, "totp": factor.code()}
    assert client.post("/auth/login", json=body).status_code == 200
    kept = find_person(person.id)
    assert kept is not None
    assert (kept.phone, kept.is_phone_verified) == (SQUATTERS_PHONE, True)
    assert client.get("/auth/me", headers=headers).status_code == 401


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_a_stolen_mailbox_does_not_take_the_second_factor_off_staff(
    client: FlaskClient, context: None, run_sql: RunSql, role: str
) -> None:
    turn_on_totp(make_customer(email=EMAIL, role=role))
    make_unproved(run_sql)
    assert reset(client, run_sql).status_code == 204
    assert log_in(client).json["code"] == "totp_required"
    assert run_sql("SELECT count(*) FROM recovery_codes") == [(10,)]


def test_an_invitation_keeps_the_phone_that_it_was_made_with(
    client: FlaskClient, context: None, run_sql: RunSql
) -> None:
    person = make_customer(email=EMAIL, phone="+254722000111", password=None)
    assert reset(client, run_sql).status_code == 204
    accepted = find_person(person.id)
    assert accepted is not None
    assert (accepted.phone, accepted.is_email_verified, accepted.is_phone_verified) == ("+254722000111", True, False)


@pytest.mark.parametrize("role", ["staff", "admin"])
@pytest.mark.parametrize("is_phone_verified", [False, True])
def test_a_stranger_with_the_address_of_an_employee_is_not_promoted(
    client: FlaskClient, context: None, role: str, is_phone_verified: bool
) -> None:
    admin = sign_in(make_customer(role="admin"))
    squatter = make_customer(email=EMAIL, phone=SQUATTERS_PHONE, is_phone_verified=is_phone_verified)
    headers = sign_in(squatter)
    answer = client.patch(f"/auth/users/{squatter.id}", json={"role": role, "name": "Njeri"}, headers=admin)
    assert (answer.status_code, answer.json["code"]) == (409, "unverified")
    assert find_person(squatter.id) == squatter
    assert client.get("/auth/me", headers=headers).status_code == 200


def test_staff_whose_address_nobody_proved_become_no_admins_and_may_be_demoted(
    client: FlaskClient, context: None
) -> None:
    admin = sign_in(make_customer(role="admin"))
    staff = make_customer(role="staff")
    path = f"/auth/users/{staff.id}"
    assert client.patch(path, json={"role": "admin"}, headers=admin).json["code"] == "unverified"
    assert client.patch(path, json={"role": "staff"}, headers=admin).status_code == 200
    assert client.patch(path, json={"role": "customer"}, headers=admin).status_code == 200


@pytest.mark.parametrize(
    "proved",
    [
        {"is_email_verified": True, "phone": SQUATTERS_PHONE},
        {"email": None, "phone": SQUATTERS_PHONE, "is_phone_verified": True},
        {"password": None},
    ],
    ids=["e-mail", "phone", "invitation that nobody answered"],
)
def test_who_is_promoted(client: FlaskClient, context: None, proved: dict[str, object]) -> None:
    admin = sign_in(make_customer(role="admin"))
    person = make_customer(**proved)  # type: ignore[arg-type]
    answer = client.patch(f"/auth/users/{person.id}", json={"role": "staff"}, headers=admin)
    assert (answer.status_code, answer.json["role"]) == (200, "staff")
