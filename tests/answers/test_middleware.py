"""Kept answers are Flask's own, to the byte; and only what may be kept is."""

import gc
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.answers import KeptAnswers
from grocery.app import create_app
from grocery.config import Settings
from tests.products.factories import make_product

Keep = Callable[[str], None]

# Each answer has its own, and the date is the server's business.
_OWN = {"X-Request-ID", "X-Cache", "Date"}


def shown(response: Any) -> tuple[int, bytes, dict[str, str]]:
    return response.status_code, response.data, {k: v for k, v in response.headers.items() if k not in _OWN}


@pytest.fixture
def paths(visitor: FlaskClient) -> list[str]:
    make_product(category="Food/Flour", name="Maize Flour")
    make_product(category="Food/Flour", name="Wheat Flour")
    return ["/products/", "/products/?limit=1&q=flour", "/categories/"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_kept_answer_is_what_flask_would_answer(
    client: FlaskClient, visitor: FlaskClient, paths: list[str], keep: Keep, method: str
) -> None:
    for path in paths:
        keep(path)
        tag = visitor.get(path).headers["ETag"]
        conditions: list[dict[str, str]] = [{}]
        conditions += [{"If-None-Match": sent} for sent in (tag, f"W/{tag}", f'"x", {tag}', "*", '"x"', "nonsense", "")]
        conditions += [{"If-None-Match": tag, "If-Match": '"x"'}, {"If-Match": "*"}]
        for condition in conditions:
            kept = visitor.open(path, method=method, headers=condition)
            assert shown(kept) == shown(client.open(path, method=method, headers=condition)), (path, condition)
            assert kept.headers.get("X-Cache", "hit") == "hit"
        assert visitor.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_client_that_only_asks_whether_it_changed_has_its_answer_kept(
    visitor: FlaskClient, answers: KeptAnswers, paths: list[str], client: FlaskClient
) -> None:
    for path in paths:
        condition = {"If-None-Match": client.get(path).headers["ETag"]}
        answers.forget()
        asked = [visitor.get(path, headers=condition) for _ in range(2)]
        assert [(one.status_code, one.data) for one in asked] == [(304, b"")] * 2
        assert shown(asked[0]) == shown(client.get(path, headers=condition))
        assert visitor.get(path).status_code == 200


def test_each_answer_has_its_own_request_id(visitor: FlaskClient, keep: Keep) -> None:
    keep("/products/")
    assert len({visitor.get("/products/").headers["X-Request-ID"] for _ in range(3)}) == 3
    assert visitor.get("/products/", headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
    assert visitor.get("/products/", headers={"X-Request-ID": "a b"}).headers["X-Request-ID"] != "a b"


def test_a_hit_asks_the_database_nothing_and_is_counted(
    visitor: FlaskClient, keep: Keep, answers: KeptAnswers, run_sql: Any
) -> None:
    keep("/products/")
    hits, misses = answers.store.hits, answers.store.misses
    run_sql("ALTER TABLE products RENAME TO away")  # which notifies nobody
    try:
        assert visitor.get("/products/").json == []
    finally:
        run_sql("ALTER TABLE away RENAME TO products")
    assert (answers.store.hits, answers.store.misses) == (hits + 1, misses)
    assert visitor.get("/products/?limit=7").headers["X-Cache"] == "miss"
    assert (answers.store.hits, answers.store.misses) == (hits + 1, misses + 1)


def test_what_answers_depend_on_keeps_them_apart(visitor: FlaskClient, keep: Keep) -> None:
    make_product()
    make_product()
    keep("/products/?limit=1")

    def outcome(path: str = "/products/?limit=1", base_url: str = "http://localhost", **headers: str) -> str:
        answer = visitor.get(path, base_url=base_url, headers=headers)
        if "Link" in answer.headers:
            assert answer.headers["Link"].startswith(f"<{base_url}/products/?limit=1&cursor=")
        return str(answer.headers["X-Cache"])

    assert outcome() == "hit"
    assert [outcome(base_url="http://other.example") for _ in range(2)] == ["miss", "hit"]
    assert [outcome(base_url="https://localhost") for _ in range(2)] == ["miss", "hit"]
    assert outcome(path="/products/?limit=2") == "miss"
    swahili = {"Accept-Language": "sw-KE,sw;q=0.9,en;q=0.5"}
    assert [outcome(**swahili) for _ in range(2)] == ["miss", "hit"]
    assert outcome(**{"Accept-Language": "sw"}) == "hit"
    for same in ("en-GB", "de-DE,de", "*", "nonsense;;q=x", "x" * 5000):
        assert outcome(**{"Accept-Language": same}) == "hit"


def test_who_signs_in_passes_by_and_gets_no_store(visitor: FlaskClient, keep: Keep, admin: dict[str, str]) -> None:
    for path in ("/products/", "/categories/"):
        keep(path)
        for _ in range(2):
            answer = visitor.get(path, headers=admin)
            assert (answer.headers["X-Cache"], answer.headers["Cache-Control"]) == ("bypass", "no-store")
        answer = visitor.get(path)
        assert (answer.headers["X-Cache"], answer.headers["Cache-Control"]) == ("hit", "public, no-cache")
    assert visitor.get("/products/", headers={"Authorization": "Bearer x.y.z"}).status_code == 401


def test_errors_are_never_kept(visitor: FlaskClient, answers: KeptAnswers, run_sql: Any) -> None:
    for _ in range(2):
        refused = visitor.get("/products/?limit=0")
        assert (refused.status_code, refused.headers["X-Cache"]) == (422, "miss")
    run_sql("ALTER TABLE products RENAME TO away")
    try:
        failed = visitor.get("/products/?limit=9")
        assert (failed.status_code, failed.headers["X-Cache"]) == (500, "miss")
    finally:
        run_sql("ALTER TABLE away RENAME TO products")
    assert visitor.get("/products/?limit=9").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/nowhere", "/docs/"])
def test_other_paths_are_not_kept(visitor: FlaskClient, answers: KeptAnswers, path: str) -> None:
    kept, misses = len(answers.store), answers.store.misses
    for _ in range(2):
        assert "X-Cache" not in visitor.get(path).headers
    assert len(answers.store) <= kept  # what is kept is forgotten when the machine stands still
    assert answers.store.misses == misses


def test_a_single_product_is_revalidated_and_not_kept(visitor: FlaskClient, client: FlaskClient) -> None:
    path = f"/products/{make_product()}"
    answer = visitor.get(path)
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert "X-Cache" not in answer.headers
    assert visitor.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_an_answer_with_a_cookie_is_not_kept(keeping_app: Flask, visitor: FlaskClient, answers: KeptAnswers) -> None:
    def set_cookie(response: Any) -> Any:
        response.set_cookie("a", "b")
        return response

    keeping_app.after_request_funcs[None].append(set_cookie)
    try:
        assert [visitor.get("/products/?limit=11").headers["X-Cache"] for _ in range(2)] == ["miss", "miss"]
    finally:
        keeping_app.after_request_funcs[None].remove(set_cookie)


def test_an_untrusted_host_is_refused_whatever_is_kept(answers: KeptAnswers, settings: Settings) -> None:
    app = create_app(replace(settings, kept_answers_mb=1, trusted_hosts=("shop.example",)))
    client = app.test_client()
    try:
        while client.get("/products/", base_url="http://shop.example").headers["X-Cache"] != "hit":
            pass
        assert client.get("/products/", base_url="http://evil.example").status_code == 400
        assert client.get("/products/", base_url="http://shop.example").status_code == 200
    finally:
        app.extensions["answers"].close()


def test_behind_a_proxy_the_address_is_the_one_of_the_client(answers: KeptAnswers, settings: Settings) -> None:
    app = create_app(replace(settings, kept_answers_mb=1, trusted_proxies=1))
    client = app.test_client()
    make_product()
    make_product()
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}
    try:
        while (answer := client.get("/products/?limit=1", headers=forwarded)).headers["X-Cache"] != "hit":
            pass
        assert answer.headers["Link"].startswith("<https://shop.example/products/?")
        assert client.get("/products/?limit=1").headers["Link"].startswith("<http://localhost/products/?")
    finally:
        app.extensions["answers"].close()


@pytest.mark.parametrize("is_told_by", ["service", "notification"])
def test_an_answer_computed_before_a_change_is_never_kept(
    keeping_app: Flask, visitor: FlaskClient, answers: KeptAnswers, keep: Keep, run_sql: Any, is_told_by: str
) -> None:
    """A request reads the database, then the price changes, and only then the request comes to its end."""
    make_product(name="Salt", price_cents=10_00)
    keep("/products/")
    has_read, may_end = threading.Event(), threading.Event()

    def pause(response: Any) -> Any:
        has_read.set()
        assert may_end.wait(60)
        return response

    seen: list[Any] = []
    answers.forget()
    keeping_app.after_request_funcs[None].append(pause)
    try:
        slow = threading.Thread(target=lambda: seen.append(keeping_app.test_client().get("/products/")))
        slow.start()
        assert has_read.wait(60)
    finally:
        keeping_app.after_request_funcs[None].remove(pause)
    generation = answers.store.generation
    run_sql("UPDATE products SET price_cents = 2000")
    if is_told_by == "service":
        answers.forget()
    while answers.store.generation == generation:
        pass
    may_end.set()
    slow.join()
    assert seen[0].json[0]["price"] == "10.00"  # it was right when it was asked
    answer = visitor.get("/products/")
    assert (answer.json[0]["price"], answer.headers["X-Cache"]) == ("20.00", "miss")


def test_without_memory_nothing_is_kept(client: FlaskClient) -> None:
    assert [client.get("/products/").headers.get("X-Cache") for _ in range(2)] == [None, None]


def test_what_is_kept_takes_no_more_memory_than_is_counted(
    visitor: FlaskClient, answers: KeptAnswers, keep: Keep
) -> None:
    """Small answers, as whoever searches for random words could have a process fill itself with."""
    keep("/products/")
    tracemalloc.start()
    try:
        for number in range(60):
            visitor.get(f"/products/?limit=7&q=zz{number}")
        gc.collect()
        kept, counted, before = len(answers.store), answers.store.size_bytes, tracemalloc.get_traced_memory()[0]
        answers.forget()
        gc.collect()
        freed = before - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept > 30
    assert 0.6 * counted < freed < 1.1 * counted
