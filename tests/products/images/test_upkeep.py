"""Pictures that no product refers to are removed after a day, and no others."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from grocery.db import db
from grocery.products.images import upkeep
from tests.products.factories import make_product
from tests.products.images.conftest import Upload, stored_files
from tests.products.images.pictures import encode, jpeg, make_image
from tests.products.images.test_upload import BrokenStore
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")


def run_when_due() -> None:
    """A day later."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE picture_sweeps SET due_at = now()")
    while upkeep.step():
        pass


def make_old(media: Path) -> None:
    for path in media.rglob("*.webp"):
        os.utime(path, (time.time() - 90_000,) * 2)


def test_nothing_is_due_without_pictures_and_for_a_day_after_the_first(upload: Upload, media: Path) -> None:
    assert (upkeep.is_due(), upkeep.step()) == (False, False)
    upload(make_product(), jpeg())
    assert (upkeep.is_due(), upkeep.step()) == (False, False)
    assert select_rows("SELECT due_at > now() + interval '23 hours' FROM picture_sweeps") == [(True,)]


def test_only_old_pictures_that_nobody_refers_to_are_removed(
    upload: Upload, client: FlaskClient, admin: dict[str, str], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several steps."""
    monkeypatch.setattr(upkeep, "_STEP_FILES", 2)
    kept, replaced, deleted, shared = [make_product() for _ in range(4)]
    pictures = [encode(make_image(left=(40 * number, 0, 0))) for number in range(4)]
    wanted = [upload(kept, pictures[0]).json["image_url"], upload(shared, pictures[1]).json["image_url"]]
    upload(replaced, pictures[1])
    upload(replaced, pictures[2])
    client.delete(f"/products/{replaced}/image", headers=admin)
    upload(deleted, pictures[3])
    client.delete(f"/products/{deleted}", headers=admin)
    (media / "README.webp").write_text("not ours")
    assert len(stored_files(media)) == 13
    run_when_due()
    assert len(stored_files(media)) == 13  # for they are young
    make_old(media)
    run_when_due()
    left = {name.split("/")[0] for name in stored_files(media)}
    assert left == {address.split("/")[2] for address in wanted} | {"README.webp"}
    assert len(stored_files(media)) == 7
    assert not upkeep.is_due()


def test_a_slow_store_is_left_after_a_while_so_that_uploads_go_on(
    upload: Upload, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_STEP_SECONDS", 0.0)
    product = make_product()
    for left in ("green", "red"):
        upload(product, encode(make_image(left=left)))
    make_old(media)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE picture_sweeps SET due_at = now()")
    for remaining in (5, 4, 3):
        assert upkeep.step()
        assert len(stored_files(media)) == remaining
    while upkeep.step():
        pass
    assert (len(stored_files(media)), upkeep.is_due()) == (3, False)


def test_while_an_upload_is_under_way_nothing_is_removed(upload: Upload, media: Path) -> None:
    product = make_product()
    upload(product, jpeg())
    upload(product, encode(make_image(left="green")))
    make_old(media)
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({upkeep.LOCK_KEY})")
        run_when_due()
        assert len(stored_files(media)) == 6
        assert upkeep.is_due()
    run_when_due()
    assert len(stored_files(media)) == 3


def test_a_store_that_is_away_is_tried_later(upload: Upload, media: Path, use_store: Callable[[object], None]) -> None:
    upload(make_product(), jpeg())

    class Away(BrokenStore):
        def list_after(self, name: str, limit: int) -> list[object]:
            self.names.append(name)
            self.put(name, b"")
            return []

    use_store(Away())
    run_when_due()
    assert not upkeep.is_due()
    assert select_rows("SELECT due_at < now() + interval '11 minutes' FROM picture_sweeps") == [(True,)]
