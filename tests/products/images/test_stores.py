"""Both stores do the same, and one that fails is unavailable within seconds."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.config import ConfigError, Settings, load_settings
from grocery.products.images import stores
from grocery.products.images.errors import MediaUnavailableError, PictureNotFoundError
from grocery.products.images.stores import BucketStore, DirectoryStore, Store, make_store
from tests.fakes.s3 import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, FakeS3
from tests.products.factories import make_product
from tests.products.images.conftest import Upload
from tests.products.images.pictures import jpeg
from tests.products.ledger import select_rows
from tests.waiting import within

DIGESTS = [letter * 32 for letter in "abc"]
NAMES = [f"{digest}/{width}.webp" for digest in DIGESTS for width in (1280, 320, 640)]


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with FakeS3() as server:
        yield server


def bucket(s3: FakeS3, **changes: str) -> BucketStore:
    values = {"endpoint": s3.url, "bucket": BUCKET, "region": REGION, "access_key": ACCESS_KEY}
    return BucketStore(**{**values, "secret_key": SECRET_KEY, **changes})


@pytest.fixture(params=["directory", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: FakeS3) -> Store:
    return DirectoryStore(tmp_path / "a" / "media") if request.param == "directory" else bucket(s3)


def list_all(store: Store, limit: int) -> list[str]:
    names: list[str] = []
    while page := store.list_after(names[-1] if names else "", limit):
        assert all(abs(file.modified_at - datetime.now(UTC)) < timedelta(minutes=1) for file in page)
        names += [file.name for file in page]
    return names


def test_what_is_put_is_there_until_it_is_deleted(store: Store) -> None:
    for name in reversed(NAMES):
        store.put(name, name.encode())
    store.put(NAMES[0], b"again")
    assert [store.get(name) for name in NAMES[:2]] == [b"again", NAMES[1].encode()]
    for limit in (1, 2, 1000):
        assert list_all(store, limit) == NAMES
    store.delete([*NAMES[:4], "d" * 32 + "/320.webp"])
    assert list_all(store, 1000) == NAMES[4:]
    for name in (NAMES[0], "d" * 32 + "/320.webp"):
        with pytest.raises(PictureNotFoundError):
            store.get(name)


def test_a_bucket_says_what_its_objects_are(s3: FakeS3) -> None:
    bucket(s3).put(NAMES[0], b"x")
    headers = s3.objects[NAMES[0]][1]
    assert (headers["content-type"], headers["cache-control"]) == ("image/webp", "public, max-age=31536000, immutable")


@pytest.mark.parametrize("changes", [{"secret_key": "wrong"}, {"access_key": "wrong"}, {"region": "us-east-1"}])
def test_a_key_that_is_refused_is_unavailable(s3: FakeS3, changes: dict[str, str]) -> None:
    with pytest.raises(MediaUnavailableError):
        bucket(s3, **changes).put(NAMES[0], b"x")
    assert s3.objects == {}


def test_a_store_that_is_not_there_is_unavailable(s3: FakeS3) -> None:
    for calls in (
        lambda one: one.put(NAMES[0], b"x"),
        lambda one: one.get(NAMES[0]),
        lambda one: one.list_after("", 5),
    ):
        with pytest.raises(MediaUnavailableError):
            calls(bucket(s3, endpoint="http://127.0.0.1:1"))


def test_an_upload_to_a_bucket_that_fails_changes_nothing(
    context: None, upload: Upload, client: FlaskClient, s3: FakeS3, use_store: Callable[[Store], None]
) -> None:
    use_store(bucket(s3))
    product = make_product()
    s3.status = 500
    answer = upload(product, jpeg())
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "media_unavailable", "2")
    assert select_rows("SELECT image_url, version FROM products") == [(None, 1)]
    s3.status = 0
    address = upload(product, jpeg()).json["images"]["320"]
    assert client.get(address).data == s3.objects[address.removeprefix("/media/")][0]
    s3.status = 500
    assert client.get(address).json["code"] == "media_unavailable"


def test_a_bucket_that_hangs_is_given_up(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "TIMEOUT", timedelta(milliseconds=300))
    s3.is_hanging = True
    with within(3), pytest.raises(MediaUnavailableError):
        bucket(s3).put(NAMES[0], b"x")


@pytest.mark.parametrize("name", ["../outside.webp", "a/../../outside.webp", "/etc/../../x"])
def test_no_name_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    store = DirectoryStore(tmp_path / "media")
    for act in (lambda: store.put(name, b"x"), lambda: store.get(name)):
        with pytest.raises(ValueError, match="illegal"):
            act()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# Settings


def test_the_settings_choose_the_store(settings: Settings, tmp_path: Path, s3: FakeS3) -> None:
    assert isinstance(make_store(dataclasses.replace(settings, media_dir=tmp_path / "m")), DirectoryStore)
    chosen = dataclasses.replace(settings, media_backend="s3", s3_endpoint=s3.url, s3_bucket=BUCKET)
    chosen = dataclasses.replace(chosen, s3_region=REGION, s3_access_key=ACCESS_KEY, s3_secret_key=SECRET_KEY)
    make_store(chosen).put(NAMES[0], b"x")
    assert s3.objects[NAMES[0]][0] == b"x"


def test_a_bucket_needs_its_settings(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({**environ, "MEDIA_BACKEND": "s3"})
    missing = ("S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    assert caught.value.problems == [f"{name} is missing; MEDIA_BACKEND=s3 needs it." for name in missing]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("", "/media"), ("/pictures/", "/pictures"), ("https://cdn.example/p/", "https://cdn.example/p")],
)
def test_the_address_of_pictures_has_no_slash_at_its_end(environ: dict[str, str], value: str, wanted: str) -> None:
    assert load_settings({**environ, "MEDIA_URL": value}).media_url == wanted


@pytest.mark.parametrize("value", ["media", "/", "ftp://x/y", "https://", "/a?b", "//cdn.example", "javascript:x"])
def test_an_address_of_pictures_that_is_none_is_refused(environ: dict[str, Any], value: str) -> None:
    with pytest.raises(ConfigError, match="MEDIA_URL"):
        load_settings({**environ, "MEDIA_URL": value})
