"""The command as a whole: its forms, its exit code, and what must never be in it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from grocery.app import create_app
from grocery.config import Settings
from grocery.doctor import machine
from grocery.doctor.checks import CHECKS
from grocery.doctor.examining import Check, Patient, examine
from grocery.doctor.findings import Finding, Level, ok
from tests.doctor.looking import bad, look
from tests.e2e.shop import free_port

ROOT = Path(__file__).parent.parent.parent
CANARY = "Cn4ry"


def test_it_says_what_is_wrong_and_ends_with_1(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["doctor", "--only", "relay", "--only", "settings"])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "settings",
        "  ok       ENVIRONMENT is development: what matters with customers only is not looked at.",
        "relay",
        "  failure  No relay is at work: rings that were lost are not rung again, offers do not start and end.",
        "           → Start it: flask --app wsgi relay",
        "",
        "failure: 1, warning: 0, hint: 0, ok: 1",
    ]


def test_it_ends_with_0_when_nothing_fails_and_with_2_when_misused(app: Flask) -> None:
    runner = app.test_cli_runner()
    done = runner.invoke(args=["doctor", "--only", "migrations", "--json"])
    assert done.exit_code == 0
    [finding] = json.loads(done.output)["migrations"]
    assert (finding["level"], finding["remedy"]) == ("ok", "")
    assert runner.invoke(args=["doctor", "--only", "weather"]).exit_code == 2


def test_help_names_every_check(app: Flask) -> None:
    output = app.test_cli_runner().invoke(args=["doctor", "--help"]).output
    assert [check.name for check in CHECKS if f" {check.name} " not in output] == []


def test_remedies_point_to_pages_and_sections_that_exist() -> None:
    """`docs/page.md, Section` in the source of the checks."""
    missing = []
    for source in (ROOT / "grocery" / "doctor").glob("*.py"):
        for page, section in _references(source.read_text()):
            path = ROOT / page
            if not path.exists() or (section and f"# {section}" not in path.read_text()):
                missing.append((source.name, page, section))
    assert missing == []


def _references(text: str) -> Iterator[tuple[str, str]]:
    import re  # noqa: PLC0415

    for page, _, section in re.findall(r"(docs/[a-z-]+\.md)(, ([A-Z][a-z -]*[a-z]))?", text):
        yield page, section


def test_no_secret_is_in_anything_that_it_says(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is wrong, and every secret has the canary in it."""
    port = free_port()
    wrong = f"postgresql+psycopg2://shop:{CANARY}-database@127.0.0.1:{port}/shop"
    settings = replace(
        settings,
        environment="production",
        database_url=wrong,
        database_direct_url=wrong,
        database_replica_url=wrong,
        redis_url=f"redis://:{CANARY}-redis@127.0.0.1:{port}/0",
        secret_key=f"{CANARY}-secret-key",
        jwt_secret_keys={"k1": f"{CANARY}-jwt"},
        sms_backend="africastalking",
        at_username="shop",
        at_api_key=f"{CANARY}-at",
        at_base_url=f"http://127.0.0.1:{port}",
        at_callback_secret=f"{CANARY}-callback",
        mail_backend="smtp",
        mail_server="127.0.0.1",
        mail_port=port,
        mail_use_tls=False,
        mail_from="shop@shop.example",
        mail_username="shop",
        mail_password=f"{CANARY}-mail",
        mail_callback_secret=f"{CANARY}-bounce",
        media_backend="s3",
        s3_endpoint=f"http://127.0.0.1:{port}",
        s3_bucket="pictures",
        s3_access_key="key",
        s3_secret_key=f"{CANARY}-s3",
        shop_url=f"http://127.0.0.1:{port}",
        stream_url=f"http://127.0.0.1:{port}",
    )
    result = create_app(settings).test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 1
    assert result.output.count("failure") > 10
    assert CANARY not in result.output


def _patient(app: Flask, **settings: Any) -> Patient:
    return Patient(app, replace(app.extensions["settings"], **settings), app.extensions["engines"])


def test_a_secret_in_a_providers_complaint_is_hidden(app: Flask) -> None:
    def look_at_it(_patient: Patient) -> Iterator[Finding]:
        yield ok("a%2Fb and a/b and kept")

    patient = _patient(app, redis_url="redis://:a%2Fbcd@host/0", at_api_key="a/b and")
    [report] = examine(patient, [Check("complaint", "", look_at_it)])
    assert report.findings[0].what == "a%2Fb and … kept"


def test_a_check_that_hangs_or_breaks_is_a_finding_beside_what_it_found(app: Flask) -> None:
    import threading  # noqa: PLC0415

    never = threading.Event()

    def hang(_patient: Patient) -> Iterator[Finding]:
        yield ok("first")
        never.wait(30)

    def crack(_patient: Patient) -> Iterator[Finding]:
        yield ok("first")
        raise ValueError("odd\nin two lines")

    checks = [Check("hanging", "", hang, 0.2), Check("breaking", "", crack)]
    hanging, breaking = examine(_patient(app), checks)
    never.set()
    assert [finding.what for finding in hanging.findings] == [
        "first",
        "No answer within 0.2 s; the rest was not looked at.",
    ]
    assert breaking.findings[1].what == "The check itself broke: ValueError: odd"
    assert breaking.findings[1].level is Level.FAILURE


def test_a_disk_that_is_nearly_full(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bad(look(app, "machine", settings)) == []
    monkeypatch.setattr(machine, "_LITTLE_BYTES", 2**60)
    monkeypatch.setattr(machine, "_LITTLE_SHARE", 1.1)
    assert {level for level, _ in bad(look(app, "machine", settings))} == {"warning"}
    monkeypatch.setattr(machine, "_NEARLY_NOTHING_BYTES", 2**60)
    assert any("it is full" in what for level, what in bad(look(app, "machine", settings)) if level == "failure")
