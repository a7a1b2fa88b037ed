"""Codes that meet other changes of the same account."""

from collections.abc import Callable

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.codes.conftest import PHONE, ReadSecret
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer, sign_in

EMAIL = "wanjiku@example.com"

AtOnce = Callable[..., list[TestResponse]]


def request(path: str, method: str = "POST", **more: object) -> dict[str, object]:
    return {"path": path, "method": method, **more}


def test_signing_in_meets_erasing(client: FlaskClient, send_code: ReadSecret, at_once: AtOnce, run_sql: RunSql) -> None:
    """Each locks what the other needs; neither waits for the other in a circle."""
    for _ in range(3):
        headers = sign_in(make_customer(email=None, phone=PHONE, is_phone_verified=True))
        code = send_code()
        answers = at_once(
            request("/auth/otp/login", json={"phone": PHONE, "code": code}),
            request("/auth/me", "DELETE", json={"password": PASSWORD}, headers=headers),
            request("/auth/otp", json={"phone": PHONE}),
        )
        assert answers[0].status_code in (200, 401)
        assert [answer.status_code for answer in answers[1:]] == [204, 202]
        run_sql("DELETE FROM customers")


def test_forgetting_and_resetting_meet_erasing(
    client: FlaskClient, read_secret: ReadSecret, at_once: AtOnce, run_sql: RunSql
) -> None:
    for _ in range(3):
        headers = sign_in(make_customer(email=EMAIL))
        assert client.post("/auth/password/forgot", json={"email": EMAIL}).status_code == 202
        body = {"token": read_secret(EMAIL), "password": "another long password"}
        answers = at_once(
            request("/auth/password/reset", json=body),
            request("/auth/password/forgot", json={"email": EMAIL}),
            request("/auth/me", "DELETE", json={"password": PASSWORD}, headers=headers),
        )
        assert answers[0].status_code in (204, 401)
        assert answers[1].status_code == 202
        assert answers[2].status_code in (204, 401, 403)
        run_sql("DELETE FROM notifications")
        run_sql("DELETE FROM customers")


def test_first_sign_in_meets_who_verifies_the_same_number(
    client: FlaskClient, read_secret: ReadSecret, send_code: ReadSecret, at_once: AtOnce, run_sql: RunSql
) -> None:
    headers = sign_in(make_customer())
    client.post("/auth/phone/verify", json={"phone": PHONE, "password": PASSWORD}, headers=headers)
    own = read_secret(PHONE)
    code = send_code()
    answers = at_once(
        request("/auth/phone/confirm", json={"code": own}, headers=headers),
        request("/auth/otp/login", json={"phone": PHONE, "code": code}),
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert run_sql("SELECT count(*) FROM customers WHERE phone = :phone", phone=PHONE) == [(1,)]
