"""What /openapi.json says about /auth."""

from typing import Any

import pytest
from flask.testing import FlaskClient

BODY = {400, 413, 415, 422}

STATUSES = {
    ("post", "/auth/otp"): {202, 429, 503} | BODY,
    ("post", "/auth/otp/login"): {200, 401, 429, 503} | BODY,
    ("post", "/auth/phone/verify"): {202, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/phone/confirm"): {200, 401, 403, 503} | BODY,
    ("delete", "/auth/phone"): {200, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/email"): {202, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/email/confirm"): {200, 401, 403, 409, 503} | BODY,
    ("delete", "/auth/email"): {200, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/password/forgot"): {202, 429, 503} | BODY,
    ("post", "/auth/password/reset"): {204, 401, 429, 503} | BODY,
    ("post", "/auth/register"): {201, 409, 429, 503} | BODY,
    ("post", "/auth/login"): {200, 401, 429, 503} | BODY,
    ("post", "/auth/refresh"): {200, 401, 422, 503},
    ("post", "/auth/logout"): {204, 401, 503},
    ("get", "/auth/me/export"): {200, 401, 429, 503},
    ("get", "/auth/me"): {200, 401, 503},
    ("patch", "/auth/me"): {200, 401, 409, 503} | BODY,
    ("delete", "/auth/me"): {204, 401, 403, 409, 429, 503} | BODY,
    ("get", "/auth/sessions"): {200, 401, 422, 503},
    ("delete", "/auth/sessions"): {204, 401, 429, 503},
    ("delete", "/auth/sessions/{session_id}"): {204, 401, 404, 429, 503},
    ("post", "/auth/password"): {200, 401, 403, 429, 503} | BODY,
    ("get", "/auth/totp"): {200, 401, 503},
    ("post", "/auth/totp"): {200, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/totp/confirm"): {200, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/totp/recovery-codes"): {200, 401, 403, 409, 429, 503} | BODY,
    ("delete", "/auth/totp"): {204, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/users"): {201, 401, 403, 409, 429, 503} | BODY,
    ("post", "/auth/users/{user_id}/resend-verification"): {202, 401, 403, 404, 409, 422, 429, 503},
    ("get", "/auth/users"): {200, 401, 403, 422, 503},
    ("get", "/auth/users/{user_id}"): {200, 401, 403, 404, 503},
    ("patch", "/auth/users/{user_id}"): {200, 401, 403, 404, 409, 503} | BODY,
    ("delete", "/auth/users/{user_id}"): {204, 401, 403, 404, 409, 503},
    ("delete", "/auth/users/{user_id}/totp"): {204, 401, 403, 404, 409, 429, 503} | BODY,
}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return client.get("/openapi.json").json


def test_every_operation_lists_every_status_it_answers(document: dict[str, Any]) -> None:
    documented = {
        (method, path): {int(status) for status in operation["responses"]}
        for path, operations in document["paths"].items()
        if path.startswith("/auth/")
        for method, operation in operations.items()
        if method in ("get", "post", "put", "patch", "delete")
    }
    assert documented == STATUSES


@pytest.mark.parametrize(("method", "path"), STATUSES, ids=" ".join)
def test_every_operation_has_a_summary_and_examples(document: dict[str, Any], method: str, path: str) -> None:
    operation = document["paths"][path][method]
    assert operation["summary"]
    contents = [*operation["responses"].values(), operation.get("requestBody", {})]
    for content in contents:
        if "application/json" in content.get("content", {}):
            assert "example" in content["content"]["application/json"]


def test_only_ways_to_sign_in_are_open(document: dict[str, Any]) -> None:
    is_open = [path for _, path in STATUSES if "security" not in document["paths"][path].get("post", {"security": 1})]
    assert is_open == [
        "/auth/otp",
        "/auth/otp/login",
        "/auth/password/forgot",
        "/auth/password/reset",
        "/auth/register",
        "/auth/login",
    ]


def test_refresh_documents_its_idempotency_key(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/auth/refresh"]["post"]["parameters"]
    assert [(parameter["in"], parameter["name"]) for parameter in parameters] == [("header", "Idempotency-Key")]


def test_no_answer_has_a_password(document: dict[str, Any]) -> None:
    assert set(document["components"]["schemas"]["Customer"]["properties"]) == {
        "id",
        "name",
        "email",
        "phone",
        "is_phone_verified",
        "is_email_verified",
        "role",
        "is_active",
        "language",
        "notify_by",
        "marketing_sms",
        "marketing_email",
        "created_at",
        "updated_at",
    }
