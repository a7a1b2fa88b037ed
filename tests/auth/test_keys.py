"""JWT_SECRET_KEYS: replacing the key that signs, and taking one away that became known."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import jwt as pyjwt
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.auth.tokens import TokenPair
from grocery.config import Settings
from tests.auth.factories import bearer, make_customer, token_pair

OLD, NEW = "an-old-secret-for-tests-only-0123456789", "a-new-secret-for-tests-only-0123456789"


def app_with(settings: Settings, **keys: str) -> Flask:
    """The same shop with other keys: what a restart makes."""
    return create_app(replace(settings, jwt_secret_keys=keys))


def pair_of(app: Flask) -> TokenPair:
    with app.app_context():
        return token_pair(make_customer())


def opens(client: FlaskClient, pair: TokenPair) -> tuple[int, int]:
    """What the access token gets, and the refresh token."""
    return (
        client.get("/auth/me", headers=bearer(pair.access_token)).status_code,
        client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code,
    )


def test_a_new_key_signs_nobody_out(app: Flask, settings: Settings) -> None:
    before = pair_of(app_with(settings, old=OLD))
    rotated = app_with(settings, new=NEW, old=OLD)
    assert opens(rotated.test_client(), before) == (200, 200)


def test_whoever_refreshes_moves_to_the_new_key_and_outlives_the_old_one(app: Flask, settings: Settings) -> None:
    before = pair_of(app_with(settings, old=OLD))
    rotated = app_with(settings, new=NEW, old=OLD).test_client()
    moved = rotated.post("/auth/refresh", headers=bearer(before.refresh_token)).json
    assert pyjwt.get_unverified_header(moved["refresh_token"])["kid"] == "new"
    last = app_with(settings, new=NEW).test_client()
    assert opens(last, TokenPair(moved["access_token"], moved["refresh_token"])) == (200, 200)


def test_taking_a_key_away_signs_out_its_tokens_only(app: Flask, settings: Settings) -> None:
    of_old = pair_of(app_with(settings, old=OLD))
    of_new = pair_of(app_with(settings, new=NEW, old=OLD))
    last = app_with(settings, new=NEW).test_client()
    answer = last.get("/auth/me", headers=bearer(of_old.access_token))
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
    assert opens(last, of_old) == (401, 401)
    assert opens(last, of_new) == (200, 200)


def test_the_name_of_a_key_does_not_stand_for_its_secret(app: Flask, settings: Settings) -> None:
    """A key of the same name with another secret: nothing that the old secret has signed is good."""
    before = pair_of(app_with(settings, main=OLD))
    assert opens(app_with(settings, main=NEW).test_client(), before) == (401, 401)


def test_a_token_that_names_one_key_and_is_signed_with_another_is_refused(
    app: Flask, context: None, settings: Settings, run_sql: Callable[..., object]
) -> None:
    both = app_with(settings, new=NEW, old=OLD)
    claims = pyjwt.decode(pair_of(both).access_token, options={"verify_signature": False})
    client = both.test_client()
    for kid, key, expected in (("new", NEW, 200), ("old", OLD, 200), ("new", OLD, 401), ("old", NEW, 401)):
        forged = pyjwt.encode({**claims, "jti": str(uuid.uuid4())}, key, "HS256", headers={"kid": kid})
        assert client.get("/auth/me", headers=bearer(forged)).status_code == expected, (kid, key)


def test_names_of_keys_that_are_no_names_are_refused(app: Flask, context: None, settings: Settings) -> None:
    one = app_with(settings, new=NEW)
    claims = pyjwt.decode(pair_of(one).access_token, options={"verify_signature": False})
    for kid in ("", "../../etc/passwd", "new'--", "a" * 300, "NEW"):
        forged = pyjwt.encode(claims, NEW, "HS256", headers={"kid": kid})
        answer = one.test_client().get("/auth/me", headers=bearer(forged))
        assert (answer.status_code, answer.json["code"]) == (401, "invalid_token"), kid
