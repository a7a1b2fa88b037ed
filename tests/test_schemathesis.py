"""The whole OpenAPI document against the API: Schemathesis, with all its checks, signed in as each role.

A 422 for data that the schemas allow is right where the operation's own description of its 422 names the code, or the
field that is wrong. All else that Schemathesis finds is a failure.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import schemathesis
from flask import Flask
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import make_server

from tests.auth.factories import make_customer, sign_in
from tests.products.factories import make_product

# As Schemathesis has it, and 412: an If-Match of another version is refused whatever else is sent.
VALID_ANSWERS = ["2xx", "3xx", "401", "403", "404", "409", "412", "429", "5xx"]
INVALID_ANSWERS = ["400", "401", "403", "404", "405", "406", "409", "412", "415", "422", "428", "429", "5xx"]

AMOUNTS = ("price", "compare_at_price", "fee", "free_from", "min_basket", "value", "expected_total")

ROLES = ("visitor", "customer", "staff", "admin")


class SignedIn:
    """Puts a good token in the place of `Bearer me`; a new one of a new person when that one was signed out."""

    def __init__(self, app: Flask, role: str):
        self._app, self._inner, self._role = app, app.wsgi_app, role
        self._refusals = ("401", "403") if role in ("staff", "admin") else ("401",)
        self._token = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") != "Bearer me":
            return self._inner(environ, start_response)
        if not self._token:
            with self._app.app_context():
                self._token = sign_in(make_customer(role=self._role))["Authorization"]
        environ["HTTP_AUTHORIZATION"] = self._token

        def start(status: str, headers: Any, exc_info: Any = None, /) -> Callable[[bytes], object]:
            if status[:3] in self._refusals:
                self._token = ""
            return start_response(status, headers, exc_info)

        return self._inner(environ, start)


@pytest.fixture
def serve(app: Flask) -> Iterator[Callable[[WSGIApplication], str]]:
    """Serve a WSGI application on loopback; its address."""
    servers = []

    def start(application: WSGIApplication) -> str:
        server = make_server("127.0.0.1", 0, application, threaded=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def run(address: str, role: str, examples: int, phases: tuple[str, ...]) -> tuple[int, list[str]]:
    """How many requests were made, and what was wrong with the answers."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 7,
            "headers": {} if role == "visitor" else {"Authorization": "Bearer me"},
            "continue-on-failure": True,
            "generation": {"max-examples": examples, "no-shrink": True, "deterministic": True, "database": "none"},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": VALID_ANSWERS},
                "negative_data_rejection": {"expected-statuses": INVALID_ANSWERS},
            },
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
        }
    )
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", config=config)
    requests, found = 0, dict[str, None]()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            found[f"{event.label}: {event.info}"] = None
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.cases)
            found |= dict.fromkeys(failures(schema.raw_schema, event))
    return requests, list(found)


def failures(document: dict[str, Any], event: events.ScenarioFinished) -> Iterator[str]:
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            response = event.recorder.interactions[case_id].response
            label = event.recorder.cases[case_id].value.operation.label
            is_refused = check.name == "positive_data_acceptance" and response is not None
            if is_refused and is_named(document, label, response.status_code, response.content):
                continue
            body = event.recorder.cases[case_id].value.body
            if check.name == "negative_data_rejection" and has_amount_as_number(body):
                continue
            failure, said = check.failure_info.failure, response.content[:300] if response is not None else b""
            yield f"{label} {check.name}: {failure.title}. {failure.message}\n  {said!r}"


def is_named(document: dict[str, Any], label: str, status: int, content: bytes) -> bool:
    """Whether the operation's own 422 names the code of this problem, or the fields that are wrong."""
    method, _, path = label.partition(" ")
    described = document["paths"][path][method.lower()]["responses"].get(str(status), {}).get("description", "")
    problem = json.loads(content)
    by_code = problem["code"] != "validation_failed"
    names = {problem["code"]} if by_code else set(problem.get("errors", {"_schema": []}))
    return status == 422 and all(f"`{name}`" in described for name in names)


def has_amount_as_number(body: Any) -> bool:
    """Whether an amount is a JSON number: stated are strings, which lose nothing, but numbers are taken too."""
    return isinstance(body, dict) and any(type(body.get(name)) in (int, float) for name in AMOUNTS)


@pytest.fixture
def attack(
    app: Flask,
    context: None,
    serve: Callable[[WSGIApplication], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[int, list[str]]]:
    monkeypatch.chdir(tmp_path)  # Schemathesis keeps a directory of its own where it runs.
    make_product()
    return lambda role, examples, *phases: run(serve(SignedIn(app, role)), role, examples, phases)


def check(outcome: tuple[int, list[str]], at_least: int) -> None:
    requests, found = outcome
    if found:
        pytest.fail("\n".join(found), pytrace=False)
    assert requests > at_least


@pytest.mark.parametrize("role", ROLES)
def test_examples_and_a_few_made_up_requests(attack: Callable[..., tuple[int, list[str]]], role: str) -> None:
    check(attack(role, 1, "examples", "fuzzing"), at_least=150)


@pytest.mark.prove
@pytest.mark.parametrize("role", ROLES)
def test_every_boundary_and_many_made_up_requests(attack: Callable[..., tuple[int, list[str]]], role: str) -> None:
    check(attack(role, 10, "examples", "coverage", "fuzzing", "stateful"), at_least=5000)
