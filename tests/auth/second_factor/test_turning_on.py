"""/auth/totp: turning a second factor on and off."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask.testing import FlaskClient

from grocery.auth.people import Person
from grocery.auth.second_factor.sealing import seal, unseal
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, sign_in, token_pair
from tests.auth.second_factor.factories import turn_on_totp

OFF = {"is_on": False, "confirmed_at": None, "recovery_codes_left": 0}


@pytest.fixture
def person(context: None) -> Person:
    return make_customer(email="amina@shop.example", role="staff", is_email_verified=True)


@pytest.fixture
def headers(person: Person) -> dict[str, str]:
    return sign_in(person)


def is_on(client: FlaskClient, headers: dict[str, str]) -> bool:
    answer: bool = client.get("/auth/totp", headers=headers).json["is_on"]
    return answer


def test_turning_on_takes_a_secret_and_its_first_code(
    client: FlaskClient, person: Person, headers: dict[str, str]
) -> None:
    assert client.get("/auth/totp", headers=headers).json == OFF
    begun = client.post("/auth/totp", json={"password": PASSWORD}, headers=headers)
    assert (begun.status_code, begun.headers["Cache-Control"]) == (200, "no-store")
    secret = begun.json["secret"]
    assert len(secret) == 32
    uri = urlsplit(begun.json["uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Test%20Grocer:amina%40shop.example")
    assert parse_qs(uri.query) == {"secret": [secret], "issuer": ["Test Grocer"]}
    assert not is_on(client, headers)
    code = pyotp.TOTP(secret).now()
    confirmed = client.post("/auth/totp/confirm", json={"code": code}, headers=headers)
    assert (confirmed.status_code, confirmed.headers["Cache-Control"]) == (200, "no-store")
    assert len(set(confirmed.json["recovery_codes"])) == 10
    state = client.get("/auth/totp", headers=headers).json
    assert (state["is_on"], state["recovery_codes_left"]) == (True, 10)
    assert client.get("/auth/me", headers=headers).status_code == 200


def test_a_second_factor_that_is_only_begun_does_not_keep_anyone_out(
    client: FlaskClient, person: Person, headers: dict[str, str]
) -> None:
    client.post("/auth/totp", json={"password": PASSWORD}, headers=headers)
    answer = client.post("/auth/login", json={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 200


def test_turning_on_ends_the_other_sign_ins(client: FlaskClient, person: Person, headers: dict[str, str]) -> None:
    other = token_pair(person)
    secret = client.post("/auth/totp", json={}, headers=headers).json["secret"]
    client.post("/auth/totp/confirm", json={"code": pyotp.TOTP(secret).now()}, headers=headers)
    assert client.get("/auth/me", headers=bearer(other.access_token)).json["code"] == "token_revoked"
    assert client.post("/auth/refresh", headers=bearer(other.refresh_token)).json["code"] == "token_revoked"
    assert client.get("/auth/me", headers=headers).status_code == 200


def test_an_old_sign_in_needs_the_password(client: FlaskClient, headers: dict[str, str], run_sql: RunSql) -> None:
    run_sql("UPDATE token_families SET created_at = now() - interval '11 minutes'")
    refused = client.post("/auth/totp", json={}, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (403, "sign_in_again")
    wrong = client.post("/auth/totp", json={"password": "wrong"}, headers=headers)
    assert (wrong.status_code, wrong.json["code"]) == (403, "wrong_password")
    assert run_sql("SELECT count(*) FROM second_factors") == [(0,)]
    assert client.post("/auth/totp", json={"password": PASSWORD}, headers=headers).status_code == 200


def test_a_wrong_password_is_not_made_good_by_a_fresh_sign_in(
    client: FlaskClient, headers: dict[str, str], run_sql: RunSql
) -> None:
    assert client.post("/auth/totp", json={"password": "wrong"}, headers=headers).status_code == 403
    assert run_sql("SELECT count(*) FROM second_factors") == [(0,)]


def test_begun_twice_the_second_secret_counts(client: FlaskClient, headers: dict[str, str]) -> None:
    first, second = (client.post("/auth/totp", json={}, headers=headers).json["secret"] for _ in range(2))
    old = client.post("/auth/totp/confirm", json={"code": pyotp.TOTP(first).now()}, headers=headers)
    assert (old.status_code, old.json["code"]) == (403, "wrong_code")
    assert not is_on(client, headers)
    new = client.post("/auth/totp/confirm", json={"code": pyotp.TOTP(second).now()}, headers=headers)
    assert new.status_code == 200


def test_begun_again_when_it_is_on_changes_nothing(
    client: FlaskClient, person: Person, headers: dict[str, str], run_sql: RunSql
) -> None:
    factor = turn_on_totp(person)
    before = run_sql("SELECT secret, last_step, confirmed_at FROM second_factors")
    answer = client.post("/auth/totp", json={}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "totp_on")
    again = client.post("/auth/totp/confirm", json={"code": factor.code()}, headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "totp_off")
    assert run_sql("SELECT secret, last_step, confirmed_at FROM second_factors") == before


@pytest.mark.parametrize(("method", "path"), [("POST", "/confirm"), ("POST", "/recovery-codes"), ("DELETE", "")])
def test_without_a_second_factor_there_is_nothing_to_do(
    client: FlaskClient, headers: dict[str, str], method: str, path: str, run_sql: RunSql
) -> None:
    answer = client.open(f"/auth/totp{path}", method=method, json={"code": "123456"}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (409, "totp_off")
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'second_factor_failed'") == [(0,)]


@pytest.mark.parametrize(
    "body", [{"code": "12345"}, {"code": "1234567"}, {"code": "١٢٣٤٥٦"}, {"code": "12 3456"}, {"code": 123456}, {}]
)
def test_what_is_no_code(client: FlaskClient, headers: dict[str, str], body: dict[str, Any]) -> None:
    answer = client.post("/auth/totp/confirm", json=body, headers=headers)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["code"])


def test_a_code_may_be_written_with_a_space(client: FlaskClient, headers: dict[str, str]) -> None:
    code = pyotp.TOTP(client.post("/auth/totp", json={}, headers=headers).json["secret"]).now()
    answer = client.post("/auth/totp/confirm", json={"code": f"{code[:3]} {code[3:]}"}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["code", "recovery_code"])
def test_turning_off(client: FlaskClient, person: Person, kind: str, run_sql: RunSql) -> None:
    factor = turn_on_totp(person)
    headers = sign_in(person)
    body = {kind: factor.code() if kind == "code" else factor.recovery_codes[3]}
    assert client.delete("/auth/totp", json=body, headers=headers).status_code == 204
    assert client.get("/auth/totp", headers=headers).json == OFF
    assert run_sql("SELECT count(*) FROM recovery_codes") == [(0,)]
    assert client.post("/auth/login", json={"email": person.email, "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"code": None}, {"recovery_code": ""}, {"kode": "123456"}])
def test_turning_off_needs_a_proof(client: FlaskClient, person: Person, body: dict[str, Any], run_sql: RunSql) -> None:
    turn_on_totp(person)
    answer = client.delete("/auth/totp", json=body, headers=sign_in(person))
    assert answer.status_code == 422
    assert run_sql("SELECT count(*) FROM second_factors") == [(1,)]


def test_new_recovery_codes_void_the_old_ones(client: FlaskClient, person: Person) -> None:
    factor = turn_on_totp(person)
    headers = sign_in(person)
    answer = client.post("/auth/totp/recovery-codes", json={"code": factor.code()}, headers=headers)
    assert answer.status_code == 200
    fresh = answer.json["recovery_codes"]
    assert not set(fresh) & set(factor.recovery_codes)
    credentials = {"email": person.email, "password": PASSWORD}
    old = client.post("/auth/login", json={**credentials, "recovery_code": factor.recovery_codes[0]})
    assert (old.status_code, old.json["code"]) == (401, "invalid_credentials")
    assert client.post("/auth/login", json={**credentials, "recovery_code": fresh[0]}).status_code == 200


def test_neither_secret_nor_recovery_codes_can_be_read_in_the_database(
    context: None, person: Person, run_sql: RunSql
) -> None:
    factor = turn_on_totp(person)
    [(sealed,)] = run_sql("SELECT secret FROM second_factors")
    assert factor.secret.encode() not in bytes(sealed)
    kept = [bytes(row[0]) for row in run_sql("SELECT code_hash FROM recovery_codes")]
    assert {len(code_hash) for code_hash in kept} == {32}
    assert not any(code.encode() in code_hash for code in factor.recovery_codes for code_hash in kept)


def test_a_sealed_secret_opens_only_for_its_owner_and_with_its_key() -> None:
    sealed = seal("JBSWY3DPEHPK3PXP", owner_id=7, secret_key="k" * 32)
    assert sealed != seal("JBSWY3DPEHPK3PXP", owner_id=7, secret_key="k" * 32)
    assert unseal(sealed, owner_id=7, secret_key="k" * 32) == "JBSWY3DPEHPK3PXP"
    assert unseal(sealed, owner_id=8, secret_key="k" * 32) is None
    assert unseal(sealed, owner_id=7, secret_key="x" * 32) is None
    assert unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), owner_id=7, secret_key="k" * 32) is None
    assert unseal(b"", owner_id=7, secret_key="k" * 32) is None


def test_what_is_done_with_second_factors_is_in_the_audit_log(
    client: FlaskClient, person: Person, run_sql: RunSql
) -> None:
    factor = turn_on_totp(person)
    headers = sign_in(person)
    client.delete("/auth/totp", json={"code": factor.wrong_code()}, headers=headers)
    client.post("/auth/totp/recovery-codes", json={"recovery_code": factor.recovery_codes[0]}, headers=headers)
    client.delete("/auth/totp", json={"code": factor.code()}, headers=headers)
    actions = ("second_factor_on", "second_factor_failed", "recovery_codes_renewed", "second_factor_off")
    entries = run_sql(
        "SELECT action, actor_id, actor_role, subject_type, subject_id, details FROM audit_log"
        " WHERE action IN :actions ORDER BY id".replace(":actions", str(actions))
    )
    assert entries == [(action, person.id, "staff", "customer", person.id, None) for action in actions]
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'turn_off_totp'") == [(1,)]


def test_the_owner_is_told_that_it_was_turned_on_and_off(client: FlaskClient, person: Person, run_sql: RunSql) -> None:
    factor = turn_on_totp(person)
    client.delete("/auth/totp", json={"code": factor.wrong_code()}, headers=sign_in(person))
    told = "SELECT recipient, substring(body FROM 'signing in.*authenticator') FROM notifications ORDER BY id"
    on = ("amina@shop.example", "signing in to your account needs a code of your authenticator")
    assert run_sql(told) == [on]
    client.delete("/auth/totp", json={"code": factor.code()}, headers=sign_in(person))
    off = ("amina@shop.example", "signing in to your account needs no code of an authenticator")
    assert run_sql(told) == [on, off]


def test_the_account_of_who_goes_takes_the_second_factor_with_it(
    client: FlaskClient, person: Person, run_sql: RunSql
) -> None:
    turn_on_totp(person)
    assert client.delete("/auth/me", json={"password": PASSWORD}, headers=sign_in(person)).status_code == 204
    assert run_sql("SELECT count(*) FROM second_factors") == [(0,)]
    assert run_sql("SELECT count(*) FROM recovery_codes") == [(0,)]
