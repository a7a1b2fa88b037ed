"""A forgotten password is no way around the second factor."""

from flask.testing import FlaskClient

from tests.auth.codes.conftest import ReadSecret, read_secret  # noqa: F401  # the fixture
from tests.auth.conftest import RunSql
from tests.auth.factories import make_customer
from tests.auth.second_factor.factories import turn_on_totp

NEW = "another long password"
EMAIL = "amina@shop.example"


def test_who_resets_the_password_still_needs_the_second_factor(
    client: FlaskClient,
    run_sql: RunSql,
    read_secret: ReadSecret,  # noqa: F811  # the fixture, not the import
) -> None:
    person = make_customer(email=EMAIL, role="admin")
    run_sql("UPDATE customers SET email_verified_at = now()")
    factor = turn_on_totp(person)
    assert client.post("/auth/password/forgot", json={"email": EMAIL}).status_code == 202
    reset = client.post("/auth/password/reset", json={"token": read_secret(EMAIL), "password": NEW})
    assert (reset.status_code, reset.data) == (204, b"")
    alone = client.post("/auth/login", json={"email": EMAIL, "password": NEW})
    assert (alone.status_code, alone.json["code"]) == (401, "totp_required")
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]
    assert client.post("/auth/login", json={"email": EMAIL, "password": NEW, "totp": factor.code()}).status_code == 200
