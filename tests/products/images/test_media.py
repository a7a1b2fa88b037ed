"""Fetching pictures: what is answered, how it may be kept, and what is not found."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.products.factories import make_product
from tests.products.images.conftest import Upload
from tests.products.images.pictures import encode, make_image

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def address(upload: Upload) -> str:
    images: dict[str, str] = upload(make_product(), encode(make_image((400, 300)))).json["images"]
    return images["320"]


def test_a_picture_may_be_kept_for_ever(client: FlaskClient, address: str, media: Path, statements: list[str]) -> None:
    del statements[:]
    answer = client.get(address)
    assert (answer.status_code, answer.content_type) == (200, "image/webp")
    assert answer.data == (media / address.removeprefix("/media/")).read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["ETag"] == f'"{address.split("/")[2]}-320"'
    assert statements == []


def test_who_is_signed_in_may_keep_it_too(client: FlaskClient, address: str, admin: dict[str, str]) -> None:
    assert client.get(address, headers=admin).headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_who_has_it_gets_304_without_a_look_at_the_store(client: FlaskClient, address: str, media: Path) -> None:
    tag = client.get(address).headers["ETag"]
    (media / address.removeprefix("/media/")).unlink()
    for sent in (tag, f'"other", {tag}', f"W/{tag}"):
        answer = client.get(address, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for sent in ('"other"', "*", tag.replace("320", "640")):
        assert client.get(address, headers={"If-None-Match": sent}).status_code == 404


def test_a_head_has_all_but_the_body(client: FlaskClient, address: str) -> None:
    head, whole = client.head(address), client.get(address)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.data))
    assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize(
    "change",
    [
        lambda digest: f"{digest}/100.webp",
        lambda digest: f"{digest}/0320.webp",
        lambda digest: f"{digest}/320.jpg",
        lambda digest: f"{digest}/320.webp/",
        lambda digest: f"{digest}/320.webp%00",
        lambda digest: f"{digest}/320.webp%0a",
        lambda digest: f"{digest}/",
        lambda digest: f"{digest}",
        lambda digest: f"{digest.upper()}/320.webp",
        lambda digest: f"{digest[:31]}/320.webp",
        lambda digest: f"{digest}0/320.webp",
        lambda digest: f"{'0' * 32}/320.webp",
        lambda digest: f"{'.' * 32}/320.webp",
        lambda digest: f"{'..%2f' * 6}ab/320.webp",
        lambda digest: f"../media/{digest}/320.webp",
        lambda digest: "..%2f..%2f..%2fetc/passwd",
        lambda digest: f"%e2%82%ac{digest[:31]}/320.webp",
        lambda digest: "",
    ],
)  # fmt: skip
def test_everything_else_is_not_found(client: FlaskClient, address: str, change: object) -> None:
    digest = address.split("/")[2]
    assert callable(change)
    path = f"/media/{change(digest)}"
    answer = client.get(path)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found"), path
    assert answer.mimetype == "application/problem+json"
    assert "immutable" not in answer.headers.get("Cache-Control", "")
