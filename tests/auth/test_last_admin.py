"""No way leaves a shop without an active admin, also when all go at the same time. Those by others: test_users.py."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer, sign_in

AtOnce = Callable[..., list[TestResponse]]

LEFT = "SELECT count(*) FROM customers WHERE role = 'admin' AND is_active"


def own_request(kind: str) -> dict[str, Any]:
    admin = make_customer(role="admin")
    headers = sign_in(admin)
    if kind == "erase":
        return {"path": "/auth/me", "method": "DELETE", "json": {"password": PASSWORD}, "headers": headers}
    change = {"role": "customer"} if kind == "demote" else {"is_active": False}
    return {"path": f"/auth/users/{admin.id}", "method": "PATCH", "json": change, "headers": headers}


@pytest.mark.parametrize("kinds", [("demote",) * 4, ("erase",) * 4, ("demote", "deactivate", "erase", "demote")])
def test_of_four_admins_who_all_go_at_once_one_stays(
    context: None, at_once: AtOnce, run_sql: RunSql, kinds: tuple[str, ...]
) -> None:
    answers = at_once(*[own_request(kind) for kind in kinds])
    refused = [answer for answer in answers if answer.status_code == 409]
    assert [answer.json["code"] for answer in refused] == ["last_admin"]
    assert {answer.status_code for answer in answers} <= {200, 204, 409}
    assert run_sql(LEFT) == [(1,)]


def test_two_admins_who_demote_each_other_at_once_leave_one(context: None, at_once: AtOnce, run_sql: RunSql) -> None:
    for _ in range(5):
        first, second = make_customer(role="admin"), make_customer(role="admin")
        answers = at_once(
            *[
                {
                    "path": f"/auth/users/{target.id}",
                    "method": "PATCH",
                    "json": {"role": "customer"},
                    "headers": sign_in(actor),
                }
                for actor, target in ((first, second), (second, first))
            ]
        )
        # The one who is late is the last admin, or has lost the sign-in, or the role, when the request is read.
        assert sorted(answer.status_code for answer in answers) in ([200, 401], [200, 403], [200, 409])
        assert run_sql(LEFT) == [(1,)]
        run_sql("DELETE FROM customers")


def test_the_last_admin_with_a_code_by_sms_stays_too(client: FlaskClient, context: None, run_sql: RunSql) -> None:
    admin = make_customer(role="admin", email=None, phone="+254712345678", is_phone_verified=True, password=None)
    client.post("/auth/otp", json={"phone": "+254712345678"})
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = 'sign_in_code'")
    answer = client.delete("/auth/me", json={"code": body[:6]}, headers=sign_in(admin))
    assert (answer.status_code, answer.json["code"]) == (409, "last_admin")
    assert run_sql(LEFT) == [(1,)]
