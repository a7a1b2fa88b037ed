"""The list of products as it is read over HTTP."""

from typing import Any

from flask.testing import FlaskClient


def names(client: FlaskClient, query: str = "") -> list[str]:
    answer = client.get(f"/products/{query}")
    assert answer.status_code == 200, answer.json
    return [product["name"] for product in answer.json]


def refusal(client: FlaskClient, query: str) -> dict[str, Any]:
    answer = client.get(f"/products/{query}")
    assert answer.status_code == 422, answer.json
    assert answer.mimetype == "application/problem+json"
    return answer.json["errors"]


def walk(client: FlaskClient, query: str) -> list[str]:
    """The names on all pages, following the Link header."""
    address: str | None = f"/products/{query}"
    seen: list[str] = []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.json
        seen += [product["name"] for product in answer.json]
        link = answer.headers.get("Link")
        address = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
        assert len(seen) < 1000
    return seen
