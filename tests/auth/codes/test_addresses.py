"""Verifying, changing and removing one's phone and e-mail address."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from tests.auth.codes.conftest import OTHER_PHONE, PHONE, LogIn, ReadSecret, wrong
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in, token_pair

NEW_EMAIL = "new@example.com"

Headers = dict[str, str]


def ask_for_phone(client: FlaskClient, headers: Headers, phone: str | None = None) -> TestResponse:
    body = {"password": PASSWORD, **({"phone": phone} if phone else {})}
    return client.post("/auth/phone/verify", json=body, headers=headers)


def confirm_phone(client: FlaskClient, headers: Headers, code: str) -> TestResponse:
    return client.post("/auth/phone/confirm", json={"code": code}, headers=headers)


def ask_for_email(client: FlaskClient, headers: Headers, email: str = NEW_EMAIL) -> TestResponse:
    return client.post("/auth/email", json={"email": email, "password": PASSWORD}, headers=headers)


def confirm_email(client: FlaskClient, headers: Headers, token: str) -> TestResponse:
    return client.post("/auth/email/confirm", json={"token": token}, headers=headers)


def told(run_sql: RunSql) -> list[tuple[str, ...]]:
    return run_sql("SELECT channel, recipient FROM notifications WHERE event = 'account_changed' ORDER BY id")


def test_verifying_ones_own_number(client: FlaskClient, read_secret: ReadSecret) -> None:
    person = make_customer(phone=PHONE)
    headers = sign_in(person)
    asked = ask_for_phone(client, headers)
    assert (asked.status_code, asked.data) == (202, b"")
    confirmed = confirm_phone(client, headers, read_secret(PHONE))
    assert (confirmed.status_code, confirmed.json["is_phone_verified"], confirmed.json["phone"]) == (200, True, PHONE)
    assert client.post("/auth/login", json={"email": PHONE, "password": PASSWORD}).status_code == 200
    again = ask_for_phone(client, headers)
    assert (again.status_code, again.json["code"]) == (409, "already_verified")


def test_another_number_is_not_the_accounts_before_it_is_confirmed(
    client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    person = make_customer(phone=PHONE, is_phone_verified=True)
    run_sql("UPDATE customers SET marketing_sms = true")
    headers = sign_in(person)
    assert ask_for_phone(client, headers, OTHER_PHONE).status_code == 202
    assert client.get("/auth/me", headers=headers).json["phone"] == PHONE
    confirmed = confirm_phone(client, headers, read_secret(OTHER_PHONE)).json
    assert (confirmed["phone"], confirmed["is_phone_verified"], confirmed["marketing_sms"]) == (
        OTHER_PHONE,
        True,
        False,
    )
    assert told(run_sql) == [("email", person.email), ("sms", PHONE)]


def test_verifying_takes_the_number_from_who_had_it(
    client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    former = make_customer(phone=PHONE, is_phone_verified=True)
    contact = make_customer(phone=PHONE)
    person = make_customer()
    headers = sign_in(person)
    ask_for_phone(client, headers, PHONE)
    assert confirm_phone(client, headers, read_secret(PHONE)).status_code == 200
    robbed = find_person(former.id)
    assert robbed is not None
    assert (robbed.phone, robbed.phone_verified_at) == (None, None)
    assert find_person(contact.id) == contact
    assert told(run_sql) == [("email", former.email), ("email", person.email)]


def test_two_who_confirm_the_same_number_at_once(
    client: FlaskClient, read_secret: ReadSecret, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    requests = []
    for _ in range(2):
        headers = sign_in(make_customer())
        ask_for_phone(client, headers, PHONE)
        code = read_secret(PHONE)
        requests.append({"path": "/auth/phone/confirm", "method": "POST", "json": {"code": code}, "headers": headers})
    assert [answer.status_code for answer in at_once(*requests)] == [200, 200]
    assert run_sql("SELECT count(*) FROM customers WHERE phone = :phone", phone=PHONE) == [(1,)]


def test_code_of_another_account_or_another_use_verifies_nothing(
    client: FlaskClient, read_secret: ReadSecret, send_code: ReadSecret
) -> None:
    mine, theirs = make_customer(), make_customer()
    ask_for_phone(client, sign_in(mine), PHONE)
    code = read_secret(PHONE)
    for answer in (
        confirm_phone(client, sign_in(theirs), code),
        confirm_phone(client, sign_in(mine), send_code()),
        client.post("/auth/otp/login", json={"phone": PHONE, "code": code}),
    ):
        assert (answer.status_code, answer.json["code"]) in ((403, "invalid_code"), (401, "invalid_code"))
    assert (find_person(mine.id), find_person(theirs.id)) == (mine, theirs)


def test_phone_code_has_five_tries(client: FlaskClient, read_secret: ReadSecret) -> None:
    headers = sign_in(make_customer(phone=PHONE))
    ask_for_phone(client, headers)
    code = read_secret(PHONE)
    for _ in range(5):
        assert confirm_phone(client, headers, wrong(code)).status_code == 403
    assert confirm_phone(client, headers, code).json["code"] == "invalid_code"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth/phone/verify", {"phone": OTHER_PHONE}),
        ("POST", "/auth/email", {"email": NEW_EMAIL}),
        ("DELETE", "/auth/email", {}),
        ("DELETE", "/auth/phone", {}),
    ],
)
def test_stolen_token_alone_changes_no_way_to_sign_in(
    client: FlaskClient, run_sql: RunSql, method: str, path: str, body: dict[str, str]
) -> None:
    person = make_customer(phone=PHONE, is_phone_verified=True)
    headers = sign_in(person)
    missing = client.open(path, method=method, json=body, headers=headers)
    assert (missing.status_code, list(missing.json["errors"])) == (422, ["password"])
    guessed = client.open(path, method=method, json={**body, "password": "wrong"}, headers=headers)
    assert (guessed.status_code, guessed.json["code"]) == (403, "wrong_password")
    run_sql("UPDATE customers SET password_hash = NULL")
    run_sql("UPDATE token_families SET created_at = now() - interval '11 minutes'")
    stale = client.open(path, method=method, json=body, headers=headers)
    assert (stale.status_code, stale.json["code"]) == (403, "sign_in_again")
    assert find_person(person.id) == person
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_phone_account_gets_an_email_address_and_lets_go_of_it(
    client: FlaskClient, send_code: ReadSecret, log_in: LogIn, read_secret: ReadSecret
) -> None:
    headers = bearer(log_in(send_code()).json["access_token"])
    assert client.post("/auth/email", json={"email": NEW_EMAIL}, headers=headers).status_code == 202
    assert client.get("/auth/me", headers=headers).json["email"] is None
    confirmed = confirm_email(client, headers, read_secret(NEW_EMAIL)).json
    assert (confirmed["email"], confirmed["is_email_verified"]) == (NEW_EMAIL, True)
    removed = client.delete("/auth/email", json={}, headers=headers)
    assert (removed.status_code, removed.json["email"], removed.json["is_email_verified"]) == (200, None, False)


def test_mail_has_a_code_and_nothing_that_the_person_wrote(client: FlaskClient, run_sql: RunSql) -> None:
    ask_for_email(client, sign_in(make_customer(name="Win a prize at evil.example")))
    [(subject, body)] = run_sql("SELECT subject, body FROM notifications")
    assert subject == "Please confirm your e-mail address for Test Grocer"
    assert "use this code while you are signed in:\n\n" in body
    assert "evil.example" not in body


def test_other_address_is_told_to_the_old_one(client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql) -> None:
    person = make_customer()
    headers = sign_in(person)
    ask_for_email(client, headers)
    token = read_secret(NEW_EMAIL)
    assert confirm_email(client, headers, token).json["email"] == NEW_EMAIL
    assert told(run_sql) == [("email", person.email)]
    again = confirm_email(client, headers, token)
    assert (again.status_code, again.json["code"]) == (403, "invalid_code")


def test_verifying_the_address_of_the_account_needs_no_password(client: FlaskClient, read_secret: ReadSecret) -> None:
    person = make_customer()
    headers = sign_in(person)
    email = str(person.email)
    assert client.post("/auth/email", json={"email": email.upper()}, headers=headers).status_code == 202
    assert confirm_email(client, headers, read_secret(email)).json["is_email_verified"] is True
    assert ask_for_email(client, headers, email).json["code"] == "already_verified"


def test_holder_of_a_mailbox_cannot_be_made_to_join_somebody_elses_account(
    client: FlaskClient, read_secret: ReadSecret
) -> None:
    attacker, holder = make_customer(), make_customer()
    ask_for_email(client, sign_in(attacker))
    assert confirm_email(client, sign_in(holder), read_secret(NEW_EMAIL)).status_code == 403
    assert (find_person(attacker.id), find_person(holder.id)) == (attacker, holder)


def test_address_of_another_account_is_not_told_before_it_is_proved(
    client: FlaskClient, read_secret: ReadSecret
) -> None:
    other = make_customer(email="taken@example.com")
    person = make_customer()
    headers = sign_in(person)
    free, taken = ask_for_email(client, headers), ask_for_email(client, headers, "taken@example.com")
    assert (free.status_code, free.data) == (taken.status_code, taken.data) == (202, b"")
    refused = confirm_email(client, headers, read_secret("taken@example.com"))
    assert (refused.status_code, refused.json["code"]) == (409, "email_taken")
    assert (find_person(other.id), find_person(person.id)) == (other, person)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/auth/email", {"password": PASSWORD}),
        ("DELETE", "/auth/phone", {"password": PASSWORD}),
        ("PATCH", "/auth/me", {"phone": None}),
        ("PATCH", "/auth/me", {"phone": OTHER_PHONE}),
    ],
)
def test_last_address_to_sign_in_with_stays(
    client: FlaskClient, method: str, path: str, body: dict[str, str | None]
) -> None:
    by_phone = path != "/auth/email"
    person = make_customer(email=None, phone=PHONE, is_phone_verified=True) if by_phone else make_customer()
    answer = client.open(path, method=method, json=body, headers=sign_in(person))
    assert (answer.status_code, answer.json["code"]) == (409, "last_identifier")
    assert find_person(person.id) == person


def test_verified_number_that_is_removed_is_told(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer(phone=PHONE, is_phone_verified=True)
    run_sql("UPDATE customers SET marketing_sms = true, notify_by = 'sms'")
    removed = client.delete("/auth/phone", json={"password": PASSWORD}, headers=sign_in(person))
    assert (removed.status_code, removed.json["phone"], removed.json["is_phone_verified"]) == (200, None, False)
    assert (removed.json["marketing_sms"], removed.json["notify_by"]) == (False, "sms_and_email")
    assert told(run_sql) == [("email", person.email), ("sms", PHONE)]
    assert client.post("/auth/login", json={"email": PHONE, "password": PASSWORD}).status_code == 401


def test_removing_a_phone_that_is_not_there_changes_nothing(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    assert client.delete("/auth/phone", json={"password": PASSWORD}, headers=sign_in(person)).status_code == 200
    assert find_person(person.id) == person
    assert told(run_sql) == []


def test_account_without_a_phone_has_none_to_verify(client: FlaskClient, run_sql: RunSql) -> None:
    answer = ask_for_phone(client, sign_in(make_customer()))
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["phone"])
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]


def test_person_who_is_deleted_meanwhile_confirms_nothing(
    client: FlaskClient, at_once: Callable[..., list[TestResponse]], read_secret: ReadSecret, run_sql: RunSql
) -> None:
    person: Person = make_customer(phone=PHONE)
    headers = bearer(token_pair(person).access_token)
    ask_for_phone(client, headers)
    confirm = {"path": "/auth/phone/confirm", "method": "POST", "json": {"code": read_secret(PHONE)}}
    erase = {"path": "/auth/me", "method": "DELETE", "json": {"password": PASSWORD}}
    answers = at_once({**confirm, "headers": headers}, {**erase, "headers": headers})
    assert answers[1].status_code == 204
    assert answers[0].status_code in (200, 401, 403, 404)
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]
