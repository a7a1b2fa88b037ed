"""Providers, stores and addresses outside: each fault is made on loopback, and found."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from flask import Flask

from grocery.config import Settings
from grocery.doctor import certificates, clock
from grocery.doctor.certificates import Place, look_at
from grocery.doctor.findings import Finding, Level
from tests.doctor.looking import bad, look, said
from tests.e2e.shop import ROOT, free_port
from tests.fakes.africastalking import FakeAfricasTalking
from tests.fakes.africastalking.answers import Answer
from tests.fakes.s3 import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, FakeS3
from tests.fakes.smtp import FakeSmtp, Trouble
from tests.notify.clients import server_context

Sql = Any


def with_sms(settings: Settings, provider: FakeAfricasTalking, key: str | None = None) -> Settings:
    return replace(
        settings,
        sms_backend="africastalking",
        at_username="shop",
        at_api_key=key or provider.api_key,
        at_base_url=provider.url,
    )


def test_the_sms_account_is_asked_for_its_balance_and_nothing_is_sent(app: Flask, settings: Settings) -> None:
    with FakeAfricasTalking(username="shop") as provider:
        [finding] = look(app, "sms", with_sms(settings, provider))
        assert (finding.level, "the account has KES 1785.50" in finding.what) == (Level.OK, True), finding
        assert provider.messages == []


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (Answer(500, b"<html>"), "HTTP 500 without a readable balance"),
        (Answer(200, b'{"UserData": {}}'), "HTTP 200 without a readable balance"),
        (Answer(200, b"[]"), "HTTP 200 without a readable balance"),
        (Answer(302, b"", location="http://127.0.0.1:1/"), "HTTP 302 without a readable balance"),
    ],
)
def test_a_provider_in_trouble_is_found(app: Flask, settings: Settings, answer: Answer, what: str) -> None:
    with FakeAfricasTalking() as provider:
        provider.misbehave(answer)
        [finding] = look(app, "sms", with_sms(settings, provider))
    assert (finding.level, what in finding.what) == (Level.FAILURE, True), finding


def test_a_wrong_key_an_empty_account_and_a_provider_that_is_away(app: Flask, settings: Settings, run_sql: Sql) -> None:
    with FakeAfricasTalking() as provider:
        [finding] = look(app, "sms", with_sms(settings, provider, key="canary-of-the-key"))
        assert "refuses AT_USERNAME or AT_API_KEY (HTTP 401)" in finding.what
        provider.balance = "KES -0.20"
        [finding] = look(app, "sms", with_sms(settings, provider))
        assert finding.what == "The account at Africa's Talking is empty (KES -0.20): no SMS is sent."
        provider.balance = "KES 90.00"
        run_sql("INSERT INTO sms_spending (day, currency, amount, messages) VALUES (current_date, 'KES', 100, 125)")
        [finding] = look(app, "sms", with_sms(settings, provider))
        assert (finding.level, "less than the SMS of a day" in finding.what) == (Level.WARNING, True), finding
    [finding] = look(app, "sms", with_sms(settings, provider))
    assert (finding.level, "refused" in finding.what) == (Level.FAILURE, True), finding


def with_mail(settings: Settings, server: FakeSmtp, **more: Any) -> Settings:
    mail = {"mail_backend": "smtp", "mail_server": server.host, "mail_port": server.port, "mail_use_tls": False}
    return replace(settings, **{**mail, "mail_from": "shop@shop.example", **more})


def test_the_mail_server_is_asked_and_gets_no_mail(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with FakeSmtp(tls=server_context(authority, "127.0.0.1"), login=("shop", "pass")) as server:
        settings = with_mail(settings, server, mail_use_tls=True, mail_username="shop", mail_password="pass")
        [finding] = look(app, "mail", settings)
        assert (finding.level, "it is encrypted, signed in" in finding.what) == (Level.OK, True), finding
        [finding] = look(app, "certificates", settings)
        assert (finding.level, "MAIL_SERVER" in finding.what) == (Level.OK, True), finding
        [finding] = look(app, "mail", replace(settings, mail_password="canary"))
        assert "535 5.7.8" in finding.what
        found = look(app, "mail", replace(settings, mail_password=None))
        assert [what for _, what in bad(found) if "offers a sign-in" in what], found
        monkeypatch.delenv("SSL_CERT_FILE")
        [finding] = look(app, "mail", settings)
        assert "certificate verify failed" in finding.what
        assert (server.mails, server.commands["MAIL"]) == ([], 0)


def test_a_mail_server_that_is_away_or_speaks_no_tls(app: Flask, settings: Settings) -> None:
    with FakeSmtp() as server:
        [finding] = look(app, "mail", with_mail(settings, server))
        assert finding.level is Level.OK
        [finding] = look(app, "mail", with_mail(settings, server, mail_use_tls=True))
        assert "STARTTLS extension not supported" in finding.what
        server.misbehave("GREETING", Trouble.DROP)
        [finding] = look(app, "mail", with_mail(settings, server))
        assert finding.level is Level.FAILURE
    [finding] = look(app, "mail", with_mail(settings, server))
    assert "refused" in finding.what


def test_the_store_of_pictures(app: Flask, settings: Settings, tmp_path: Path) -> None:
    settings = replace(settings, media_dir=tmp_path / "media")
    [finding] = look(app, "media", settings)
    assert (finding.level, (tmp_path / "media").exists()) == (Level.OK, False)
    (tmp_path / "media").mkdir()
    [finding] = look(app, "media", settings)
    assert "takes, gives and removes files" in finding.what
    assert list((tmp_path / "media").iterdir()) == []
    (tmp_path / "media").rmdir()
    (tmp_path / "media").touch()
    [finding] = look(app, "media", settings)
    assert (finding.level, "cannot be used" in finding.what) == (Level.FAILURE, True)


def test_a_bucket(app: Flask, settings: Settings) -> None:
    with FakeS3() as bucket:
        names = {"s3_bucket": BUCKET, "s3_region": REGION, "s3_access_key": ACCESS_KEY, "s3_secret_key": SECRET_KEY}
        settings = replace(settings, media_backend="s3", s3_endpoint=bucket.url, **names)  # type: ignore[arg-type]
        [finding] = look(app, "media", settings)
        assert (finding.level, bucket.objects) == (Level.OK, {})
        [finding] = look(app, "media", replace(settings, s3_secret_key="canary-of-the-bucket"))
        assert finding.level is Level.FAILURE
        assert "canary" not in finding.what


@contextmanager
def web_server(answers: dict[str, tuple[int, str, str]], date: datetime | None = None) -> Iterator[str]:
    """Answers status, type and body by path; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answers.get(self.path, (404, "text/plain", "nothing"))
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            if date is not None:
                self.send_header("Date", f"{date:%a, %d %b %Y %H:%M:%S} GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body.encode())

        do_HEAD = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


LIST = "/products/?limit=1"


@pytest.mark.parametrize(
    ("answer", "level", "what"),
    [
        ((200, "application/json", "[]"), Level.OK, "The shop answers at"),
        ((200, "text/html", "<p>parked"), Level.FAILURE, "is not the shop"),
        ((400, "application/problem+json", "{}"), Level.FAILURE, "answers 400"),
        ((301, "text/plain", ""), Level.WARNING, "redirects to"),
        ((502, "text/html", ""), Level.FAILURE, "is not the shop"),
        ((503, "application/problem+json", "{}"), Level.FAILURE, "answers 503"),
    ],
)
def test_the_shop_at_its_address(
    app: Flask, settings: Settings, answer: tuple[int, str, str], level: Level, what: str
) -> None:
    with web_server({LIST: answer}) as url:
        [finding] = look(app, "shop", replace(settings, shop_url=url))
    assert (finding.level, what in finding.what) == (level, True), finding


def test_figures_that_strangers_can_read(app: Flask, settings: Settings) -> None:
    answers = {LIST: (200, "application/json", "[]"), "/metrics": (200, "text/plain", "grocery_x 1")}
    with web_server(answers) as url:
        found = look(app, "shop", replace(settings, shop_url=url, environment="production"))
    assert [what for what in said(found, Level.WARNING) if "/metrics is open" in what], found


def test_a_shop_that_is_away_or_nowhere(app: Flask, settings: Settings) -> None:
    [finding] = look(app, "shop", replace(settings, shop_url=f"http://127.0.0.1:{free_port()}"))
    assert finding.what.endswith(
        "does not answer here: Failed to establish a new connection: [Errno 111] Connection refused"
    ), finding
    [finding] = look(app, "shop", replace(settings, shop_url=""))
    assert finding.level is Level.WARNING


def test_streams(app: Flask, settings: Settings) -> None:
    health = {"status": "alive", "streams": 3, "database": "ok", "redis": "ok"}
    for change, expected in (
        ({}, []),
        ({"database": "unavailable"}, ["failure"]),
        ({"redis": "degraded"}, ["warning"]),
    ):
        with web_server({"/healthz": (200, "application/json", json.dumps({**health, **change}))}) as url:
            found = look(app, "streams", replace(settings, stream_url=url))
        assert [level for level, _ in bad(found)] == expected
    with web_server({"/healthz": (200, "application/json", '{"status": "alive"}')}) as url:
        [finding] = look(app, "streams", replace(settings, stream_url=url))
    assert "is not the stream process" in finding.what
    [finding] = look(app, "streams", replace(settings, stream_url=f"http://127.0.0.1:{free_port()}"))
    assert "does not answer: Failed to establish" in finding.what


def test_streams_below_the_shops_address(app: Flask, settings: Settings) -> None:
    refused = (401, "application/problem+json", '{"code": "invalid_ticket"}')
    for answers, level in (({"/stream/orders/1": refused}, Level.OK), ({}, Level.FAILURE)):
        with web_server(answers) as url:
            [finding] = look(app, "streams", replace(settings, stream_url="", shop_url=url))
        assert finding.level is level, finding


@contextmanager
def tls_server(context: ssl.SSLContext) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are the test
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def judged(authority: trustme.CA, days: float, *, life_days: float = 90, trusted: bool = True) -> Finding:
    """What is found about a certificate that holds for so many more days."""
    now = datetime.now(UTC)
    certificate = authority.issue_cert(
        "localhost", not_before=now + timedelta(days=days - life_days), not_after=now + timedelta(days=days)
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(serving)
    trusting = ssl.create_default_context()
    if trusted:
        authority.configure_trust(trusting)
    with tls_server(serving) as port:
        return look_at(Place("SHOP_URL", "localhost", port, certificates._open, trusting))


def test_certificates() -> None:
    authority = trustme.CA()
    for days, life, level in ((60, 90, Level.OK), (13, 90, Level.WARNING), (13, 20, Level.OK), (0.5, 6, Level.WARNING)):
        assert judged(authority, days, life_days=life).level is level, (days, life)
    assert "the certificate is refused: certificate has expired" in judged(authority, -1).what
    assert "unable to get local issuer certificate" in judged(authority, 60, trusted=False).what
    nobody = look_at(Place("SHOP_URL", "127.0.0.1", free_port(), certificates._open, ssl.create_default_context()))
    assert "no TLS connection" in nobody.what


def test_a_clock_that_is_wrong_is_found_by_others(app: Flask, settings: Settings) -> None:
    assert bad(look(app, "clock", settings)) == []
    for seconds, level in ((-3600, "failure"), (3600, "failure"), (10, "warning")):
        with web_server({}, datetime.now(UTC) + timedelta(seconds=seconds)) as url:
            changed = replace(settings, sms_backend="africastalking", at_username="shop", at_base_url=url)
            [(found, what)] = bad(look(app, "clock", changed))
        assert (found, url in what) == (level, True)


def test_a_time_zone_with_other_rules_is_found(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(datetime):
        def astimezone(self, *_: Any) -> Any:
            return super().astimezone(UTC)

    monkeypatch.setattr(clock, "datetime", Elsewhere)
    assert any("disagree about Africa/Nairobi" in what for _, what in bad(look(app, "clock", settings)))


@pytest.mark.prove
@pytest.mark.skipif(not shutil.which("faketime"), reason="the program faketime is not installed")
def test_a_machine_an_hour_ahead_is_told_so(environ: dict[str, str]) -> None:
    command = ["faketime", "-f", "+1h", sys.executable, "-m", "flask", "--app", "wsgi", "doctor", "--only", "clock"]
    environ = {**environ, "PATH": os.environ["PATH"], "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "The clock of PostgreSQL is 3600.0 s behind this machine's." in done.stdout, done.stdout
