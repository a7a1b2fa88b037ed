"""Once a day, pictures that no product refers to are removed: those replaced, taken away, or of deleted products.

A picture stays for a day after it was stored, so that an address read a while ago can still be written to a product.
"""

import logging
import time
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from grocery.db import db, transaction
from grocery.products.images.addresses import DIGEST_IN_ADDRESS, digest_of
from grocery.products.images.errors import MediaUnavailableError
from grocery.products.images.extension import store
from grocery.products.images.models import PictureSweep
from grocery.products.images.stores import StoredFile
from grocery.queues import BulkTask, bulk_task

log = logging.getLogger(__name__)

#: Held shared by uploads from before they store until they have committed, alone by what removes.
LOCK_KEY = 4_711_021

_KEPT = timedelta(days=1)
#: While the store is away.
_PAUSE = timedelta(minutes=10)
#: Files that are looked at in one step.
_STEP_FILES = 500
#: A bucket takes as long for each file as it likes; no more are removed in a step after this time. Uploads wait for it.
_STEP_SECONDS = 2.0

_IS_DUE = PictureSweep.due_at <= func.now()
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
_USED = text("""
    SELECT digest FROM (SELECT substring(image_url FROM :pattern) AS digest FROM products) AS pictures
    WHERE digest = ANY(:digests)
""")


def schedule() -> None:
    """See to it that unused pictures are looked for; called in the transaction that stores the first one."""
    db.session.execute(insert(PictureSweep).values(due_at=func.now() + _KEPT).on_conflict_do_nothing())


def is_due() -> bool:
    with transaction() as session:
        return bool(session.scalar(select(exists().where(_IS_DUE))))


def step() -> bool:
    """Look at the next files and remove those that are unused; whether there are more to look at.

    A store that is away is tried again after ten minutes.
    """
    try:
        with transaction():
            return _look_at_next()
    except MediaUnavailableError:
        with transaction() as session:
            session.execute(update(PictureSweep).where(_IS_DUE).values(due_at=func.now() + _PAUSE))
        return False


def bulk_tasks(_sender: object) -> list[BulkTask]:
    return [BulkTask("pictures.sweep", is_due, step)]


def init_app(_app: Flask) -> None:
    bulk_task.connect(bulk_tasks)


def _look_at_next() -> bool:
    position = db.session.scalar(select(PictureSweep.position).where(_IS_DUE).with_for_update(skip_locked=True))
    if position is None:
        return False
    files = store().list_after(position, _STEP_FILES)
    # Uploads hold it for seconds at most. Who waited for it would let all later ones wait too.
    if not db.session.scalar(_TRY_LOCK, {"key": LOCK_KEY}):
        return False
    if files:
        last = _remove_unused(files) or files[-1].name
        db.session.execute(update(PictureSweep).values(position=last))
    else:
        db.session.execute(update(PictureSweep).values(position="", due_at=func.now() + _KEPT))
    return bool(files)


def _remove_unused(files: list[StoredFile]) -> str | None:
    """Remove what is old enough, ours, and not in use, under the lock that keeps uploads out.

    Answers the last name that was removed when the time was over before the end.
    """
    kept_since = datetime.now(UTC) - _KEPT
    digests = {file.name: digest_of(file.name) for file in files if file.modified_at < kept_since}
    known = {digest for digest in digests.values() if digest}
    if not known:
        return None
    used = set(db.session.scalars(_USED, {"pattern": DIGEST_IN_ADDRESS, "digests": list(known)}))
    unused = [name for name, digest in digests.items() if digest and digest not in used]
    removed = _remove(unused)
    if removed:
        log.info("removed %d files of pictures that nothing refers to", removed)
    return unused[removed - 1] if removed < len(unused) else None


def _remove(names: list[str]) -> int:
    """Remove files until the time of a step is over; how many it were."""
    ends_at = time.monotonic() + _STEP_SECONDS
    for count, name in enumerate(names, start=1):
        store().delete([name])
        if time.monotonic() >= ends_at:
            return count
    return len(names)
