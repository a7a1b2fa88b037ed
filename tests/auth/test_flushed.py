"""Redis loses all that it has: what was dead before stays dead, and nothing is an error."""

from typing import Any

import redis
from flask.testing import FlaskClient

from grocery.auth.tokens import TokenPair
from grocery.config import Settings
from tests.auth.codes.conftest import PHONE
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, sign_in, token_pair
from tests.auth.second_factor.factories import turn_on_totp

EMAIL, NEW = "amina@example.com", "another long password"


def flush(settings: Settings) -> None:
    redis.Redis.from_url(settings.redis_url or "").flushall()


def uses(client: FlaskClient, pair: TokenPair) -> dict[str, int]:
    """What comes of a pair of tokens, wherever it is shown."""
    access, refresh = bearer(pair.access_token), bearer(pair.refresh_token)
    return {
        "reading": client.get("/auth/me", headers=access).status_code,
        "ordering": client.post("/orders/", json={}, headers=access).status_code,
        "refreshing": client.post("/auth/refresh", headers=refresh).status_code,
        "signing out": client.post("/auth/logout", headers=access).status_code,
    }


def test_tokens_that_were_revoked_in_any_way_stay_dead(client: FlaskClient, settings: Settings) -> None:
    admin, person = sign_in(make_customer(role="admin")), make_customer()

    def change(**changes: Any) -> TokenPair:
        changed = make_customer()
        pair = token_pair(changed)
        assert client.patch(f"/auth/users/{changed.id}", json=changes, headers=admin).status_code == 200
        return pair

    signed_out, ended, others = (token_pair(person) for _ in range(3))
    assert client.post("/auth/logout", headers=bearer(signed_out.access_token)).status_code == 204
    own = sign_in(person)
    listed = client.get("/auth/sessions", headers=bearer(ended.access_token)).json
    [here] = [session["id"] for session in listed if session["is_current"]]
    assert client.delete(f"/auth/sessions/{here}", headers=own).status_code == 204
    assert client.delete("/auth/sessions", headers=own).status_code == 204

    reused = token_pair(person)
    for expected in (200, 401):
        assert client.post("/auth/refresh", headers=bearer(reused.refresh_token)).status_code == expected
    renewed = token_pair(person)
    body = {"current_password": PASSWORD, "password": NEW}
    assert client.post("/auth/password", json=body, headers=bearer(renewed.access_token)).status_code == 200
    erased = make_customer()
    of_erased = token_pair(erased)
    assert client.delete(f"/auth/users/{erased.id}", headers=admin).status_code == 204

    dead = [signed_out, ended, others, reused, renewed, of_erased, change(is_active=False)]
    flush(settings)
    refused = {"reading": 401, "ordering": 401, "refreshing": 401, "signing out": 401}
    assert [uses(client, pair) for pair in dead] == [refused] * len(dead)


def test_what_is_good_once_is_not_good_again(client: FlaskClient, run_sql: RunSql, settings: Settings) -> None:
    def read(recipient: str) -> str:
        newest = "SELECT body FROM notifications WHERE recipient = :to AND priority = 0 ORDER BY id DESC LIMIT 1"
        [(body,)] = run_sql(newest, to=recipient)
        return next(word for word in body.split() if len(word) == 43 or (len(word) == 6 and word.isdigit()))

    person = make_customer(email=EMAIL)
    own = sign_in(person)
    client.post("/auth/email", json={"email": EMAIL}, headers=own)
    verification = {"token": read(EMAIL)}
    client.post("/auth/otp", json={"phone": PHONE})
    code = {"phone": PHONE, "code": read(PHONE)}
    client.post("/auth/password/forgot", json={"email": EMAIL})
    reset = {"token": read(EMAIL), "password": NEW}
    staff = make_customer(role="staff")
    factor = turn_on_totp(staff)
    login = {"email": staff.email, "password": PASSWORD}
    once = [
        ("/auth/email/confirm", verification, 200, 403),
        ("/auth/otp/login", code, 200, 401),
        ("/auth/password/reset", reset, 204, 401),
        ("/auth/login", {**login, "totp": factor.code()}, 200, 401),
        ("/auth/login", {**login, "recovery_code": factor.recovery_codes[0]}, 200, 401),
    ]
    for path, body, good, _ in once:
        assert client.post(path, json=body, headers=own).status_code == good, path
    flush(settings)
    own = sign_in(person)
    assert [client.post(path, json=body, headers=own).status_code for path, body, *_ in once] == [
        bad for *_, bad in once
    ]
    assert client.post("/auth/login", json=login).json["code"] == "totp_required"


def test_redis_emptied_between_any_two_steps_breaks_nothing(
    client: FlaskClient, run_sql: RunSql, settings: Settings
) -> None:
    """No code, no sign-in and no cart is in Redis alone."""
    client.post("/auth/otp", json={"phone": PHONE})
    [(body,)] = run_sql("SELECT body FROM notifications")
    flush(settings)
    answer = client.post("/auth/otp/login", json={"phone": PHONE, "code": body.split()[0]})
    assert answer.status_code == 200
    flush(settings)
    assert client.post("/auth/refresh", headers=bearer(answer.json["refresh_token"])).status_code == 200
    cart = {"X-Cart-Token": client.get("/cart").headers["X-Cart-Token"]}
    flush(settings)
    assert client.get("/cart", headers=cart).status_code == 200
