"""What makes the shop an app: manifest, service worker, the page without network; and pages with less data."""

import json
import re
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql
from tests.storefront.conftest import words_in as text_of


def worker_knows(client: FlaskClient) -> dict[str, Any]:
    found = re.match(r"const SHOP = (\{.*?\});\n", client.get("/sw.js").text)
    assert found
    known: dict[str, Any] = json.loads(found[1])
    return known


def test_the_manifest_has_what_browsers_ask_of_an_app(client: FlaskClient) -> None:
    answer = client.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert [manifest[name] for name in ("id", "name", "short_name", "start_url", "scope", "display", "lang")] == [
        "/",
        "Test Grocer",
        "Test Grocer",
        "/",
        "/",
        "standalone",
        "en",
    ]
    for icon in manifest["icons"][1:]:
        picture = client.get(icon["src"])
        assert picture.mimetype == "image/png"
        assert "immutable" in picture.headers["Cache-Control"]
        width, height = Image.open(BytesIO(picture.data)).size
        assert icon["sizes"] == f"{width}x{height}"
    assert [(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]] == [
        ("any", "any"),
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    ]
    assert [shortcut["url"] for shortcut in manifest["shortcuts"]] == ["/basket", "/account/orders"]
    assert json.loads(client.get("/manifest.webmanifest?lang=sw").text)["lang"] == "sw"


def test_the_worker_keeps_files_that_are_there_and_asks_again_each_time(client: FlaskClient) -> None:
    answer = client.get("/sw.js")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/javascript", "no-cache")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    known = worker_knows(client)
    names = [address.rpartition("/")[2] for address in known["files"]]
    assert names == ["shop.css", "shop.js", "drawings.svg", "icon.svg"]
    assert all(known["version"] in address for address in known["files"])
    assert [client.get(address).status_code for address in known["files"]] == [200] * 4


def test_the_worker_is_small(client: FlaskClient) -> None:
    answer = client.get("/sw.js", headers={"Accept-Encoding": "br"})
    assert len(answer.data) <= 3_000


def test_the_worker_is_the_same_in_all_languages_and_has_their_words(client: FlaskClient) -> None:
    words = worker_knows(client)["words"]
    assert {language: one["offline"] for language, one in words.items()} == {
        "en": "/offline?lang=en",
        "sw": "/offline?lang=sw",
    }
    assert words["en"]["asOf"].startswith("No network.")
    assert words["sw"]["asOf"].startswith("Hakuna mtandao.")
    swahili = client.get("/sw.js", headers={"Accept-Language": "sw"})
    assert swahili.text == client.get("/sw.js").text


def test_a_page_says_its_language_for_the_worker(client: FlaskClient) -> None:
    assert client.get("/").headers["Content-Language"] == "en"
    assert client.get("/?lang=sw").headers["Content-Language"] == "sw"


def test_pages_that_are_private_are_not_among_those_kept(client: FlaskClient) -> None:
    script = client.get("/sw.js").text
    kept = re.search(r"const KEPT = \[(.*)\];", script)
    assert kept
    assert kept[1] == r"/^\/basket$/, /^\/(account\/orders|checkout\/done)\/\d+$/, /^\/t\/[^/]+$/"


def test_the_page_without_network_is_nobodys(browser: Browser) -> None:
    browser.get("/")
    page = browser.get("/offline")
    assert "No network" in text_of(page.text)
    assert "<form" not in page.text
    assert "csrf" not in page.text


def test_pictures_go_when_less_data_is_wanted(browser: Browser, context: None) -> None:
    make_product(name="Bread", image_url="https://pictures.example/bread.jpg")
    assert "bread.jpg" in browser.get("/search?q=bread").text
    assert "bread.jpg" not in browser.get("/search?q=bread", headers={"Save-Data": "on"}).text
    answer = browser.post("/low-data", {"is_low": "1", "return_to": "/search?q=bread"})
    assert (answer.status_code, answer.location) == (303, "/search?q=bread")
    page = browser.get("/search?q=bread")
    assert "bread.jpg" not in page.text
    assert "drawings.svg#" in page.text
    assert "Save-Data" in page.headers["Vary"]
    browser.post("/low-data", {"is_low": "0"})
    assert "bread.jpg" in browser.get("/search?q=bread", headers={"Save-Data": "on"}).text


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example/"])
def test_the_switch_leads_back_to_this_shop_only(browser: Browser, address: str) -> None:
    assert browser.post("/low-data", {"is_low": "1", "return_to": address}).location == "/"
    assert browser.post("/low-data", {"is_low": "1", "csrf_token": "x"}).status_code == 403


def test_looking_leaves_no_trace(client: FlaskClient, run_sql: Sql) -> None:
    for path in ("/offline", "/sw.js", "/manifest.webmanifest"):
        client.get(path)
    assert run_sql("SELECT count(*) FROM carts") == [(0,)]
