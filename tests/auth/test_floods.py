"""Signing in as a load: what a login tells by its time, and what many at once leave to the shoppers."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from tests.auth.factories import make_customer
from tests.e2e.shop import ROOT, free_port
from tests.products.factories import make_product

WRONG = "not the password"
SECONDS = 6


@pytest.fixture
def url(app: Flask, context: None, environ: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The API as operators start it, with a few products, keeping no answers: every list is read from PostgreSQL."""
    for _ in range(20):
        make_product()
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"]
    command += ["--no-ws", "--host", "127.0.0.1", "--port", str(port), "wsgi:app"]
    usual = {"PATH": os.environ["PATH"], **environ, "PASSWORDS_WAITING": ""}
    with (tmp_path / "log").open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=usual, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    give_up_at = time.monotonic() + 30
    while not _is_up(url):
        assert time.monotonic() < give_up_at, (tmp_path / "log").read_text()
        time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(15)


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/products/", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def browse(url: str, seconds: float) -> float:
    """Lists of products a second that four shoppers get, one after the other each."""

    def shop(_number: int) -> int:
        count = 0
        with requests.Session() as session:
            while time.monotonic() < end:
                assert session.get(f"{url}/products/", timeout=30).status_code == 200
                count += 1
        return count

    end = time.monotonic() + seconds
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(shop, range(4))) / seconds


def sign_in_until(stop: threading.Event, url: str, email: str) -> Counter[int]:
    """How often each status was answered to one who signs in over and over, and waits when told to."""
    statuses: Counter[int] = Counter()
    with requests.Session() as session:
        while not stop.is_set():
            answer = session.post(f"{url}/auth/login", json={"email": email, "password": WRONG}, timeout=30)
            statuses[answer.status_code] += 1
            stop.wait(float(answer.headers.get("Retry-After", 0)))
    return statuses


@pytest.mark.prove
@pytest.mark.e2e
def test_fifty_who_sign_in_at_once_leave_shoppers_more_than_half(url: str) -> None:
    email = make_customer().email or ""
    browse(url, 1)
    usual = browse(url, SECONDS)
    stop = threading.Event()
    with ThreadPoolExecutor(50) as pool:
        signing_in = [pool.submit(sign_in_until, stop, url, email) for _ in range(50)]
        time.sleep(1)
        flooded = browse(url, SECONDS)
        stop.set()
        statuses = sum((one.result() for one in signing_in), Counter())
    assert statuses.keys() <= {401, 503}
    assert statuses[401] > SECONDS  # some are served all the time
    assert flooded > usual / 2, f"lists a second: {usual:.0f}, and {flooded:.0f} during {dict(statuses)}"


@pytest.mark.prove
def test_a_login_takes_as_long_for_who_does_not_exist(client: FlaskClient) -> None:
    emails = {"known": make_customer().email, "unknown": "nobody@example.com"}
    seconds: dict[str, list[float]] = {kind: [] for kind in emails}
    for _ in range(200):
        for kind, email in emails.items():
            started = time.perf_counter()
            answer = client.post("/auth/login", json={"email": email, "password": WRONG})
            seconds[kind].append(time.perf_counter() - started)
            assert answer.status_code == 401
    known, unknown = (statistics.median(times) for times in seconds.values())
    assert abs(known - unknown) / max(known, unknown) < 0.1, f"known {known:.4f} s, unknown {unknown:.4f} s"
