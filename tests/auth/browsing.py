"""A few pages that take cookies, and a browser that keeps them."""

import time
from typing import Any

import jwt as pyjwt
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.api import public
from grocery.auth.access import (
    current_person,
    current_person_or_none,
    current_token,
    customer_required,
    optional_person,
    staff_required,
)
from grocery.auth.cookies import clear_session_cookies, csrf_token, set_session_cookies
from grocery.auth.pages import Pages
from grocery.auth.people import Person
from grocery.auth.sessions import end_session
from grocery.db import transaction
from tests.auth.factories import token_pair

KEY = "secret-for-tests-only-fedcba9876543210"
BAD = "made up"


def pages(people: dict[str, int]) -> Pages:
    """A few pages as a storefront has them; `people` names who signs in."""
    blueprint = Pages("pages", __name__, url_prefix="/pages")

    @blueprint.get("/door")
    @optional_person
    def door() -> Response:
        return jsonify(csrf=csrf_token())

    @blueprint.post("/enter")
    @public
    def enter() -> Response:
        return set_session_cookies(Response("in"), token_pair(people["who"]))

    @blueprint.route("/account", methods=["GET", "POST"])
    @customer_required
    def account() -> Response:
        return jsonify(id=current_person().id, csrf=csrf_token())

    @blueprint.route("/front", methods=["GET", "POST"])
    @optional_person
    def front() -> Response:
        person = current_person_or_none()
        return jsonify(id=person.id if person else None)

    @blueprint.get("/back-office")
    @staff_required
    def back_office() -> Response:
        return jsonify(id=current_person().id)

    @blueprint.post("/leave")
    @customer_required
    def leave() -> Response:
        with transaction():
            end_session(current_token())
        return clear_session_cookies(Response("out"))

    return blueprint


class Browser:
    """Keeps cookies, as a test client does; sends what the test says beside them."""

    def __init__(self, app: Flask, people: dict[str, int]):
        self.app, self.people = app, people
        self.client: FlaskClient = app.test_client()

    def enter(self, person: Person) -> TestResponse:
        self.people["who"] = person.id
        return self.client.post("/pages/enter", data=self.at_the_door())

    def at_the_door(self) -> dict[str, str]:
        """What the form of the page has by which one enters."""
        return {"csrf_token": self.client.get("/pages/door").json["csrf"]}

    def cookie(self, name: str) -> str | None:
        kept = self.client.get_cookie(name)
        return kept.value if kept else None

    def cookies(self) -> dict[str, str | None]:
        return {name: self.cookie(name) for name in ("access", "refresh", "csrf")}

    def put(self, name: str, value: str) -> None:
        self.client.set_cookie(name, value)

    def forget(self, *names: str) -> None:
        for name in names:
            self.client.delete_cookie(name)

    def csrf(self) -> dict[str, str]:
        return {"csrf_token": self.cookie("csrf") or ""}


def refused(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.json["code"]


def expired(token: str) -> str:
    now = int(time.time())
    return signed(token, iat=now - 2000, exp=now - 1000)


def signed(token: str, key: str = KEY, **claims: Any) -> str:
    """The token with other claims, as somebody who has the key would sign it."""
    known = pyjwt.decode(token, options={"verify_signature": False})
    return pyjwt.encode({**known, **claims}, key, "HS256", headers={"kid": "test"})
