"""API processes whose clock is wrong, beside one whose clock is right: what the runbook says of them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.doctor.test_full_disks import order, stocked
from tests.e2e.shop import ROOT, Shop, free_port, running_shop
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.prove,
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("faketime"), reason="the program faketime is not installed"),
]


@contextmanager
def api_that_is_off(shop: Shop, seconds: int) -> Iterator[str]:
    """Its address. Its clock is ahead by so many seconds, or behind."""
    port = free_port()
    command = ["faketime", "-f", f"{seconds:+}s", sys.executable, "-m", "flask", "--app", "wsgi"]
    # granian waits by the clock that is changed here, and does not start.
    command += ["run", "--port", str(port)]
    environ = {**shop.environ, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with (shop.logs / f"api{seconds:+}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(
            lambda: requests.get(f"{url}/readyz", timeout=20).status_code == 200, f"the API at {seconds:+} s", 90
        )
        yield url
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def sign_in(url: str) -> tuple[dict[str, str], str]:
    """Headers, and the refresh token."""
    body = {"email": "owner@shop.example", "password": "a long enough password"}
    return _tokens(requests.post(f"{url}/auth/login", json=body, timeout=20))


def renew(url: str, refresh_token: str) -> dict[str, str]:
    """Headers of a token that is made there. (Hashing a password waits, which libfaketime breaks.)"""
    headers = {"Authorization": f"Bearer {refresh_token}"}
    return _tokens(requests.post(f"{url}/auth/refresh", headers=headers, timeout=20))[0]


def _tokens(answer: requests.Response) -> tuple[dict[str, str], str]:
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}, tokens["refresh_token"]


def me(url: str, token: dict[str, str]) -> int:
    return requests.get(f"{url}/auth/me", headers=token, timeout=20).status_code


def test_a_wrong_clock_costs_sign_ins_and_no_order_its_time(tmp_path: Path) -> None:
    with running_shop(tmp_path) as shop:
        shop.start("api")
        _, customer, product = stocked(shop)
        right, _ = sign_in(shop.url)
        seen: dict[int, list[int]] = {}
        for seconds in (-600, -3, 3, 600, 1200):
            with api_that_is_off(shop, seconds) as url:
                body = {"items": [{"product_id": product, "quantity": 1}]}
                placed = requests.post(f"{url}/orders/", json=body, headers=customer, timeout=20)
                seen[seconds] = [me(url, right), placed.status_code]
                if seconds > 0:
                    own = renew(url, sign_in(shop.url)[1])
                    seen[seconds] += [me(url, own), me(shop.url, own)]
        assert seen == {
            # Tokens of the others are from the future there, and are refused.
            -600: [401, 401],
            -3: [200, 201],
            3: [200, 201, 200, 200],
            # It gives out tokens that are from the future everywhere else.
            600: [200, 201, 200, 401],
            # Tokens of the others have run out there.
            1200: [401, 401, 200, 401],
        }
        placed_at = shop.sql("SELECT max(placed_at) FROM orders")[0][0]
        assert abs((datetime.now(UTC) - placed_at).total_seconds()) < 60
        assert order(shop, customer, product).status_code == 201
