"""How long a sign-in lasts: thirty days without use, a year in all."""

import pytest
from flask.testing import FlaskClient

from tests.auth.conftest import RunSql
from tests.auth.factories import bearer, make_customer, token_pair

AGE = "UPDATE token_families SET created_at = now() - make_interval(days => :days)"


def test_a_sign_in_that_is_used_lasts_a_year(client: FlaskClient, run_sql: RunSql) -> None:
    pair = token_pair(make_customer())
    run_sql(AGE, days=364)
    assert client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "again"}])
def test_after_a_year_one_signs_in_anew_however_often_it_was_used(
    client: FlaskClient, run_sql: RunSql, headers: dict[str, str]
) -> None:
    first = token_pair(make_customer())
    pair = client.post("/auth/refresh", headers={**bearer(first.refresh_token), **headers}).json
    run_sql(AGE, days=366)
    for token in (pair["refresh_token"], first.refresh_token):
        answer = client.post("/auth/refresh", headers={**bearer(token), **headers})
        assert (answer.status_code, answer.json["code"]) == (401, "token_revoked")
    assert run_sql("SELECT count(*) FROM token_families") == [(1,)]
