"""The whole OpenAPI document against the API: Schemathesis, with all its checks, signed in as each role.

Right, although Schemathesis cannot know it, is a 422 for data that the schemas allow, where the operation's own
description of its 422 names the code or the field that is wrong; a 412 to a request with `If-Match`, where the
operation takes one; and a 200 to a bad form, where the operation says so of any form. All else that it finds is a
failure.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
import schemathesis
from flask import Flask
from schemathesis import Case, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from werkzeug.serving import make_server

from tests.auth.factories import make_customer, sign_in
from tests.existing import Existing
from tests.products.factories import make_product

#: How many made-up requests `make prove` sends to each operation: more find more and take longer.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "100"))

#: Each role, and how many operations at least one example each must get an answer below 400 from: where nearly all
#: requests end at 404, little is tested.
ROLES = {"visitor": 15, "customer": 30, "staff": 50, "admin": 90}


class SignedIn:
    """Puts a good token in the place of `Bearer me`: of a new person with an order when that one was signed out."""

    def __init__(self, app: Flask, role: str, inner: WSGIApplication):
        self._app, self._inner, self._role = app, inner, role
        # Only an admin can take away the role of the one who is signed in, which then is 403.
        self._refusals = ("401", "403") if role == "admin" else ("401",)
        self._token = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") != "Bearer me":
            return self._inner(environ, start_response)
        self._token = self._token or self._sign_in()
        environ["HTTP_AUTHORIZATION"] = self._token

        def start(status: str, headers: Any, exc_info: Any = None, /) -> Callable[[bytes], object]:
            if status[:3] in self._refusals:
                self._token = ""
            return start_response(status, headers, exc_info)

        return self._inner(environ, start)

    def _sign_in(self) -> str:
        with self._app.app_context():
            headers = sign_in(make_customer(role=self._role))
            # Of which any quantity can be ordered.
            product_id = make_product(unit="kg", quantity_step=Decimal("0.001"), stock=Decimal(1_000_000))
        basket = {"items": [{"product_id": product_id, "quantity": 1}]}
        answer = self._app.test_client().post("/orders/", json=basket, headers=headers)
        assert answer.status_code == 201
        return headers["Authorization"]


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


@dataclass
class Outcome:
    """What came of a run. Operations are named as Schemathesis names them: `GET /products/`."""

    document: dict[str, Any]
    requests: int = 0
    tried: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    found: dict[str, None] = field(default_factory=dict)

    def operations(self) -> set[str]:
        paths = self.document["paths"]
        return {f"{method.upper()} {path}" for path in paths for method in paths[path] if method != "parameters"}

    def take(self, recorder: ScenarioRecorder) -> None:
        for case_id, interaction in recorder.interactions.items():
            label = recorder.cases[case_id].value.operation.label
            self.requests += 1
            self.tried.add(label)
            if interaction.response is not None and interaction.response.status_code < 400:
                self.done.add(label)
        self.found |= dict.fromkeys(failures(self.document, recorder))


def run(address: str, role: str, examples: int, phases: tuple[str, ...]) -> Outcome:
    config = SchemathesisConfig.from_dict(
        {
            "seed": 7,
            "headers": {} if role == "visitor" else {"Authorization": "Bearer me"},
            "continue-on-failure": True,
            "request-timeout": 60,
            "generation": {"max-examples": examples, "no-shrink": True, "deterministic": True, "database": "none"},
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
        }
    )
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json", config=config)
    outcome = Outcome(schema.raw_schema)
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            outcome.found[f"{event.label}: {event.info}"] = None
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            outcome.take(event.recorder)
    return outcome


def failures(document: dict[str, Any], recorder: ScenarioRecorder) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        case, response = recorder.cases[case_id].value, recorder.interactions[case_id].response
        for check in checks:
            if check.failure_info is None or is_right(document, case, check.name, response):
                continue
            failure, said = check.failure_info.failure, response.content[:300] if response is not None else b""
            yield f"{case.operation.label} {check.name}: {failure.title}. {failure.message}\n  {said!r}"


def is_right(document: dict[str, Any], case: Case, check: str, response: Response | None) -> bool:
    """Whether an answer that a check of Schemathesis complains of is what the document says all the same."""
    if response is None or check not in ("positive_data_acceptance", "negative_data_rejection"):
        return False
    if response.status_code == 412:  # Whatever else is sent, a change of another version than the sent one is refused.
        return sends_version(document, case)
    if response.status_code == 413:  # As it is too large, nobody looks at what is wrong with it.
        return "413" in described(document, case.operation.label)["responses"]
    if check == "negative_data_rejection":
        return takes_any_form(document, case.operation.label, response.status_code)
    return is_named(document, case.operation.label, response.status_code, response.content)


def takes_any_form(document: dict[str, Any], label: str, status: int) -> bool:
    """Whether the operation says that it answers as to a good form: the provider would only send a bad one again."""
    return status == 200 and "any form" in described(document, label)["responses"]["200"]["description"]


def sends_version(document: dict[str, Any], case: Case) -> bool:
    declared = described(document, case.operation.label).get("parameters", [])
    return "If-Match" in case.headers and "If-Match" in [parameter.get("name") for parameter in declared]


def described(document: dict[str, Any], label: str) -> dict[str, Any]:
    method, _, path = label.partition(" ")
    operation: dict[str, Any] = document["paths"][path][method.lower()]
    return operation


def is_named(document: dict[str, Any], label: str, status: int, content: bytes) -> bool:
    """Whether the operation's own 422 names the code of this problem, or the fields that are wrong."""
    text = described(document, label)["responses"].get(str(status), {}).get("description", "")
    problem = json.loads(content)
    by_code = problem["code"] != "validation_failed"
    names = {problem["code"]} if by_code else set(problem.get("errors", {"_schema": []}))
    return status == 422 and all(f"`{name}`" in text for name in names)


@pytest.fixture
def attack(
    app: Flask,
    context: None,
    serve: Callable[[WSGIApplication], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Outcome]:
    monkeypatch.chdir(tmp_path)  # Schemathesis keeps a directory of its own where it runs.
    make_product()

    def start(role: str, examples: int, *phases: str) -> Outcome:
        # What follows from earlier answers must meet the ids in them.
        inner = app.wsgi_app if "stateful" in phases else Existing(app, app.wsgi_app)
        return run(serve(SignedIn(app, role, inner)), role, examples, phases)

    return start


def check(outcome: Outcome, at_least: int) -> None:
    """Nothing was found, and every operation was tried by at least so many requests together."""
    if outcome.found:
        pytest.fail("\n".join(outcome.found), pytrace=False)
    assert outcome.operations() - outcome.tried == set()
    assert outcome.requests > at_least


# Who is an admin may do all that staff may; what these alone meet is met by `make prove`.
@pytest.mark.parametrize("role", [role for role in ROLES if role != "staff"])
def test_examples_and_a_few_made_up_requests(attack: Callable[..., Outcome], role: str) -> None:
    outcome = attack(role, 1, "examples", "fuzzing")
    check(outcome, at_least=150)
    assert len(outcome.done) >= ROLES[role]


@pytest.mark.prove
@pytest.mark.parametrize("role", ROLES)
def test_every_boundary_and_many_made_up_requests(attack: Callable[..., Outcome], role: str) -> None:
    check(attack(role, EXAMPLES, "examples", "coverage", "fuzzing"), at_least=5000)


@pytest.mark.prove
@pytest.mark.parametrize("role", ROLES)
def test_requests_that_follow_from_earlier_answers(attack: Callable[..., Outcome], role: str) -> None:
    outcome = attack(role, EXAMPLES, "stateful")
    assert list(outcome.found) == []
    assert outcome.requests > EXAMPLES
