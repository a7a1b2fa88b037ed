"""The bulk task `imports`: imports by the API go on chunk by chunk, whoever works on them, and are never done twice.

Each chunk, the counts, the refusals and the place where it ends are one transaction. So a worker killed at any moment
has done all of a chunk or nothing of it, and the next one goes on behind the last one that was committed.
"""

import logging
import time

from sqlalchemy import text

from grocery.db import transaction
from grocery.origins import working_on
from grocery.products.imports import claims
from grocery.products.imports.applying import apply_chunk, apply_whole, read_chunks
from grocery.products.imports.claims import MAX_ATTEMPTS, Claim
from grocery.products.imports.matching import Seen
from grocery.products.imports.reading import Table, open_table
from grocery.products.imports.service import refresh_statistics
from grocery.products.imports.staging import ImportGoneError, drop_old_files, staged_file
from grocery.queues import BulkTask, PeriodicTask

log = logging.getLogger(__name__)

_WORK_SECONDS = 5.0
_KEPT_DAYS = 90

_FORGET = text("DELETE FROM product_imports WHERE finished_at < now() - make_interval(days => :days)")


def bulk_tasks(_sender: object) -> list[BulkTask]:
    """The answer to the signal `bulk_task`."""
    return [BulkTask("imports", claims.is_import_due, work_on_imports)]


def periodic_tasks(_sender: object) -> list[PeriodicTask]:
    """The answer to the signal `periodic_task`."""
    return [PeriodicTask("imports.forget", 3600, forget_old_imports)]


def work_on_imports(seconds: float = _WORK_SECONDS) -> bool:
    """Go on with one import for so many seconds, one chunk at least; answers whether there was one."""
    with transaction():
        claim = claims.claim_import()
    if claim is None:
        return False
    with working_on(claim.origin, "import products", import_id=claim.id):
        log.info("import %d goes on from row %d", claim.id, claim.position.row)
        try:
            if claim.attempts > MAX_ATTEMPTS:
                _give_up(claim)
            else:
                _go_on(claim, time.monotonic() + seconds)
        except ImportGoneError:
            pass  # cancelled, or taken for dead and gone on with by another worker: what was not committed is not done
    return True


def forget_old_imports() -> None:
    """Delete what was finished long ago, with its refusals, and files that were only tried."""
    with transaction() as session:
        session.execute(_FORGET, {"days": _KEPT_DAYS})
        drop_old_files()


def _go_on(claim: Claim, until: float) -> None:
    table = open_table(staged_file(claim.id, claim.size), claim.delimiter, claim.mapping)
    if claim.is_checked:
        _apply_strictly(claim, table)
        return
    is_at_end = _do_chunks(claim, table, until)
    with transaction():
        if not is_at_end:
            claims.give_back(claim)
            return
        if claim.is_all_or_nothing and not claims.count_refused(claim):
            claims.note_checked(claim)
            return
        claims.finish(claim, "done")
    if not claim.is_all_or_nothing:
        _refresh_statistics(claim)


def _do_chunks(claim: Claim, table: Table, until: float) -> bool:
    """Do chunk after chunk until the time is over; answers whether none is left."""
    is_dry = claim.dry_run or claim.strict
    seen = Seen(claims.stored_keys(claim))
    for chunk in read_chunks(table, seen, claim.position):
        with transaction():
            outcome = apply_chunk(chunk, seen, dry_run=is_dry, actor_id=claim.actor_id)
            claims.note_chunk(claim, chunk.end, outcome, seen.added(), is_applied=not is_dry)
        if time.monotonic() > until:
            return False
    return True


def _apply_strictly(claim: Claim, table: Table) -> None:
    """The second time through a file of which no row was refused: all of it in one transaction."""
    with transaction():
        claims.lease_for_long(claim)
    with transaction() as session:
        outcome = apply_whole(table, claims.foreseen_ids(claim), claim.actor_id)
        if outcome.refusals:  # somebody has changed products since they were foreseen
            session.rollback()
        claims.note_whole(claim, outcome)
        claims.finish(claim, "done")
    _refresh_statistics(claim)


def _refresh_statistics(claim: Claim) -> None:
    refresh_statistics(claims.count_changes(claim))


def _give_up(claim: Claim) -> None:
    if claim.is_all_or_nothing or claim.dry_run:
        what = "Nothing was written."
    else:
        what = f"The rows up to {claim.position.row} were applied, those behind were not."
    with transaction():
        claims.finish(claim, "failed", f"It broke off {MAX_ATTEMPTS} times behind row {claim.position.row}. {what}")
