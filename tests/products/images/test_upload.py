"""Uploading a picture and taking it away: what is answered, stored and written."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.products.images import decoding, receiving
from grocery.products.images.errors import MediaUnavailableError
from tests.products.factories import make_product
from tests.products.images.conftest import Upload, stored_files
from tests.products.images.pictures import encode, jpeg, jpeg_of_many_scans, make_image, open_webp, png
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

RAW = {"Content-Type": "image/jpeg"}


def rows() -> list[tuple[Any, ...]]:
    return select_rows("SELECT image_url, version FROM products ORDER BY id")


def assert_refused(answer: Any, status: int, code: str, media: Path) -> None:
    """The exact problem, and nothing changed."""
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert answer.mimetype == "application/problem+json"
    assert set(rows()) == {(None, 1)}
    assert stored_files(media) == []


# Taking one in


def test_a_picture_is_stored_in_three_widths_and_answered(
    upload: Upload, client: FlaskClient, admin: dict[str, str], media: Path
) -> None:
    product = make_product()
    answer = upload(product, encode(make_image((1600, 1200))))
    assert answer.status_code == 200, answer.json
    digest = answer.json["image_url"].split("/")[2]
    assert answer.json["images"] == {str(width): f"/media/{digest}/{width}.webp" for width in (320, 640, 1280)}
    assert answer.json["image_url"] == answer.json["images"]["640"]
    assert (answer.json["version"], answer.headers["ETag"][:3]) == (2, '"2-')
    assert answer.json == client.get(f"/products/{product}", headers=admin).json
    assert client.get("/products/").json[0]["images"] == answer.json["images"]
    assert stored_files(media) == [f"{digest}/{width}.webp" for width in (1280, 320, 640)]
    sizes = [open_webp((media / digest / f"{width}.webp").read_bytes()).size for width in (320, 640, 1280)]
    assert sizes == [(320, 240), (640, 480), (1280, 960)]
    assert rows() == [(f"/media/{digest}/640.webp", 2)]


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp"])
def test_a_picture_may_be_the_body_itself(client: FlaskClient, admin: dict[str, str], media: Path, kind: str) -> None:
    """What it is called does not matter: here it is always a PNG file."""
    product = make_product()
    answer = client.post(f"/products/{product}/image", data=png(), headers={**admin, "Content-Type": kind})
    assert answer.status_code == 200, answer.json
    assert len(stored_files(media)) == 3


def test_the_same_picture_has_the_same_name_and_changes_nothing(upload: Upload, media: Path) -> None:
    one, other = make_product(), make_product()
    first = upload(one, jpeg())
    assert upload(one, jpeg()).json == first.json
    assert upload(other, jpeg(comment=b"other bytes, same pixels")).json["images"] == first.json["images"]
    assert len(stored_files(media)) == 3


def test_another_picture_takes_its_place(upload: Upload) -> None:
    product = make_product()
    first, second = upload(product, jpeg()).json, upload(product, encode(make_image(left="green"))).json
    assert second["image_url"] != first["image_url"]
    assert (second["version"], rows()) == (3, [(second["image_url"], 3)])


def test_if_match_is_honoured(upload: Upload, media: Path) -> None:
    product = make_product()
    stale = upload(product, jpeg(), **{"If-Match": '"9-x"'})
    assert_refused(stale, 412, "stale_version", media)
    tag = upload(product, jpeg(), **{"If-Match": '"1-x"'}).headers["ETag"]
    assert upload(product, png(), **{"If-Match": tag}).status_code == 200


def test_a_withdrawn_product_may_get_one(upload: Upload) -> None:
    assert upload(make_product(is_active=False), jpeg()).status_code == 200


def test_removing(upload: Upload, client: FlaskClient, admin: dict[str, str], media: Path) -> None:
    product = make_product()
    upload(product, jpeg())
    address = f"/products/{product}/image"
    stale = client.delete(address, headers={**admin, "If-Match": '"1-x"'})
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    answer = client.delete(address, headers=admin)
    assert (answer.status_code, answer.json["image_url"], answer.json["images"]) == (200, None, None)
    assert answer.headers["ETag"].startswith('"3-')
    assert client.delete(address, headers=admin).json == answer.json
    assert rows() == [(None, 3)]
    assert len(stored_files(media)) == 3  # they go with the upkeep


def test_who_may(client: FlaskClient, admin: dict[str, str], staff: dict[str, str], media: Path) -> None:
    address = f"/products/{make_product()}/image"
    for send in (client.post, client.delete):
        assert send(address, data=jpeg(), headers=RAW).status_code == 401
        assert send(address, data=jpeg(), headers={**staff, **RAW}).status_code == 403
        assert send("/products/999999/image", data=b"x", headers={**admin, **RAW}).status_code == 404
    assert rows() == [(None, 1)]


# Requests that make no sense


def test_other_types_are_refused(client: FlaskClient, admin: dict[str, str], media: Path) -> None:
    address = f"/products/{make_product()}/image"
    for kind in ("image/gif", "text/html", "application/json", "application/octet-stream", ""):
        answer = client.post(address, data=jpeg(), headers={**admin, "Content-Type": kind})
        assert_refused(answer, 415, "unsupported_media_type", media)
    answer = client.post("/products/999999/image", data=jpeg(), headers={**admin, "Content-Type": "image/gif"})
    assert answer.status_code == 404


@pytest.mark.parametrize("form", [{}, {"file": "text"}, {"picture": (BytesIO(b"x"), "a.jpg")}])
def test_a_form_needs_the_file(client: FlaskClient, admin: dict[str, str], media: Path, form: dict[str, Any]) -> None:
    headers = {**admin, "Content-Type": "multipart/form-data"}
    answer = client.post(f"/products/{make_product()}/image", data=form, headers=headers)
    assert_refused(answer, 422, "validation_failed", media)
    assert list(answer.json["errors"]) == ["file"]


def test_an_empty_file_is_none(upload: Upload, client: FlaskClient, admin: dict[str, str], media: Path) -> None:
    product = make_product()
    assert_refused(upload(product, b""), 422, "validation_failed", media)
    answer = client.post(f"/products/{product}/image", data=b"", headers={**admin, **RAW})
    assert_refused(answer, 422, "validation_failed", media)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", jpeg()),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\ncut"),
        ("multipart/form-data; boundary=x", b"x" * 100),
        ("multipart/form-data; boundary=\xe4", b"x" * 100),
    ],
)
def test_a_form_that_is_none_is_malformed(
    client: FlaskClient, admin: dict[str, str], media: Path, kind: str, body: bytes
) -> None:
    answer = client.post(f"/products/{make_product()}/image", data=body, headers={**admin, "Content-Type": kind})
    assert_refused(answer, 400, "malformed_request", media)


def test_a_form_with_a_hundred_files_is_refused(client: FlaskClient, admin: dict[str, str], media: Path) -> None:
    form = {f"file{number}": (BytesIO(b"x"), "a.jpg") for number in range(100)}
    answer = client.post(f"/products/{make_product()}/image", data=form, headers=admin)
    assert_refused(answer, 413, "too_large", media)


# Too large


def test_ten_mebibytes_are_taken_and_a_byte_more_is_not(
    upload: Upload, client: FlaskClient, admin: dict[str, str], media: Path
) -> None:
    """What stands behind the end of a picture is read and dropped."""
    product = make_product()
    most = jpeg().ljust(receiving.MAX_FILE_BYTES, b"\0")
    address = f"/products/{product}/image"
    assert_refused(upload(product, most + b"\0"), 413, "too_large", media)
    assert_refused(client.post(address, data=most + b"\0", headers={**admin, **RAW}), 413, "too_large", media)
    assert_refused(upload(product, most + bytes(2**20)), 413, "too_large", media)
    assert upload(product, most).status_code == 200
    assert client.post(address, data=most, headers={**admin, **RAW}).status_code == 200


@pytest.mark.parametrize("filling", [b"\n", b"\r\n", b"\r\n--limi", b"\r\n--limit-", b"--limit"])
def test_a_photo_of_a_phone_may_look_like_the_boundary_of_its_form(upload: Upload, filling: bytes) -> None:
    """Any larger one has bytes somewhere that could begin one, and the parser keeps these back."""
    data = jpeg() + (filling * 2**20)[: 2**20]
    assert upload(make_product(), data).status_code == 200


@pytest.mark.parametrize("part", ['name="{}"', 'name="file"; filename="{}"', "name=text\r\nX-A: {}"])
def test_a_form_with_a_huge_header_is_refused(
    client: FlaskClient, admin: dict[str, str], media: Path, part: str
) -> None:
    head = f"--x\r\nContent-Disposition: form-data; {part}\r\n\r\n".format("a" * 2**20)
    headers = {**admin, "Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post(f"/products/{make_product()}/image", data=head.encode() + b"x\r\n--x--", headers=headers)
    assert_refused(answer, 413, "too_large", media)


@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data; boundary=x"])
def test_a_body_in_chunks_is_not_read_beyond_the_limit(
    client: FlaskClient, admin: dict[str, str], media: Path, kind: str
) -> None:
    """Without Content-Length, and without an end."""
    body = BytesIO(bytes(receiving.MAX_FILE_BYTES * 2))
    answer = client.post(
        f"/products/{make_product()}/image",
        input_stream=body,
        headers={**admin, "Content-Type": kind},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert_refused(answer, 413, "too_large", media)
    assert body.tell() <= receiving.MAX_FILE_BYTES + 2 * 64 * 1024


def test_other_routes_keep_their_limit(client: FlaskClient, admin: dict[str, str]) -> None:
    answer = client.post("/products/", data=b" " * (2**20 + 1), headers={**admin, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


# Two at once, and a store that does not work


def test_two_uploads_at_once(
    app: Flask, upload: Upload, client: FlaskClient, admin: dict[str, str], media: Path
) -> None:
    """Each gets its own picture: one is decoded after the other."""
    products = [make_product() for _ in range(4)]
    pictures = [encode(make_image(left=(60 * number, 0, 0))) for number in range(4)]

    def send(number: int) -> Any:
        address = f"/products/{products[number]}/image"
        return app.test_client().post(address, data=pictures[number], headers={**admin, **RAW})

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(send, range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json["image_url"] for answer in answers}) == 4
    assert rows() == [(answer.json["image_url"], 2) for answer in answers]


def test_who_waits_too_long_for_the_decoder_is_told_to_come_back(
    upload: Upload, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_WAIT_SECONDS", 0.01)
    product = make_product()
    with decoding._decoding:
        answer = upload(product, jpeg())
    assert_refused(answer, 503, "busy", media)
    assert answer.headers["Retry-After"] == "2"
    assert upload(product, jpeg()).status_code == 200


def test_a_picture_that_takes_too_long_is_given_up(
    upload: Upload, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of some hundred kilobytes, and of hours."""
    monkeypatch.setattr(decoding, "MAX_SECONDS", 0.2)
    answer = upload(make_product(), jpeg_of_many_scans(20_000))
    assert_refused(answer, 422, "unreadable_image", media)
    assert answer.json["detail"] == "The picture takes too long to decode."


class BrokenStore:
    """Fails at the second file."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def put(self, name: str, data: bytes) -> None:
        if self.names:
            raise MediaUnavailableError
        self.names.append(name)


def test_a_store_that_fails_changes_nothing(upload: Upload, media: Path, use_store: Callable[[Any], None]) -> None:
    use_store(BrokenStore())
    answer = upload(make_product(), jpeg())
    assert_refused(answer, 503, "media_unavailable", media)
    assert answer.headers["Retry-After"] == "2"
    assert select_rows("SELECT * FROM picture_sweeps") == []


def test_a_directory_that_cannot_be_written_is_unavailable(
    upload: Upload, media: Path, caplog: pytest.LogCaptureFixture
) -> None:
    media.parent.mkdir(parents=True, exist_ok=True)
    media.write_text("a file in its place")
    answer = upload(make_product(), jpeg())
    assert (answer.status_code, answer.json["code"], rows()) == (503, "media_unavailable", [(None, 1)])
    assert [record.getMessage()[:23] for record in caplog.records] == ["the store of pictures: "]
    media.unlink()
    assert upload(make_product(), jpeg()).status_code == 200


# Addresses


def test_a_public_address_is_answered_and_understood_but_never_stored(
    app: Flask, upload: Upload, client: FlaskClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    product = make_product()
    path = upload(product, jpeg()).json["image_url"]
    monkeypatch.setitem(app.config, "MEDIA_URL", "https://cdn.example/pictures")
    read = client.get(f"/products/{product}").json
    assert read["image_url"] == path.replace("/media", "https://cdn.example/pictures")
    assert read["images"]["320"].startswith("https://cdn.example/pictures/")
    again = client.patch(f"/products/{product}", json={"image_url": read["image_url"]}, headers=admin)
    assert (again.status_code, again.json["image_url"], again.json["version"]) == (200, read["image_url"], 2)
    assert rows() == [(path, 2)]


def test_an_address_elsewhere_stays_as_it_is(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()
    for address in ("https://img.example/a.webp", "/media/logo.webp", f"/media/{'A' * 32}/640.webp"):
        answer = client.patch(f"/products/{product}", json={"image_url": address}, headers=admin)
        assert (answer.json["image_url"], answer.json["images"]) == (address, None)
