"""What views say: this one reads the catalogue. And the choice that is made for each of their requests."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any

from flask import current_app, g, has_request_context, request
from psycopg2.errors import DeadlockDetected, QueryCanceled, SerializationFailure
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.wrappers import Response

from grocery.answers import is_to_be_kept
from grocery.auth.tokens import verify_token
from grocery.db import after_commit, reader
from grocery.errors import NotFoundError, UnauthenticatedError, is_database_away
from grocery.replica.marks import Marks
from grocery.replica.monitor import Monitor

log = logging.getLogger(__name__)

# Of a replica, everything else is asked of the primary again: that there is no such product, or that it has moved,
# which browsers keep for ever, may be a moment old.
_GOOD = (200, 304)

# What befalls one statement of a replica that is well: it took too long, or gave way to what is replayed.
_ONE_STATEMENT = (QueryCanceled, SerializationFailure, DeadlockDetected)


def reads_catalogue(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let what a view reads through `catalogue_reader()` come from the replica, where that is right.

    Stands right above the view, which must change nothing: it is called again, for the primary, when the replica fails.
    """

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        answer = _ask_replica(view, *args, **kwargs) if _may_ask_replica() else None
        return view(*args, **kwargs) if answer is None else answer

    return wrapper


@contextmanager
def catalogue_reader() -> Iterator[Connection]:
    """As `grocery.db.reader()`, in views that have `reads_catalogue` perhaps from the replica."""
    source = current_app.extensions["replica"].connection() if g.get("reads_replica") else reader()
    with source as connection:
        yield connection


def note_writer(_sender: object) -> None:
    """Of a transaction that commits: remember whose request has written."""
    marks: Marks | None = current_app.extensions.get("replica_marks")
    person = g.get("person") if marks and has_request_context() else None
    if marks and person:
        after_commit("replica_mark", lambda: marks.note(person.id))


def _ask_replica(view: Callable[..., Response], *args: Any, **kwargs: Any) -> Response | None:
    """The answer made from the replica, if it is good."""
    g.reads_replica = True
    try:
        answer = view(*args, **kwargs)
    except (DBAPIError, PoolTimeoutError) as error:
        _note_failure(error)
        return None
    except NotFoundError:
        return None
    finally:
        g.reads_replica = False
    return answer if answer.status_code in _GOOD else None


def _note_failure(error: DBAPIError | PoolTimeoutError) -> None:
    log.info("a read of the replica is repeated on the primary: %s", str(getattr(error, "orig", error)).strip())
    if isinstance(error, DBAPIError) and is_database_away(error) and not isinstance(error.orig, _ONE_STATEMENT):
        _monitor().note_failure()


def _may_ask_replica() -> bool:
    if "replica" not in current_app.extensions or is_to_be_kept() or not _monitor().is_fresh:
        return False
    if "person" not in g:
        person_id = _person_of_token()
    elif g.person is None:
        return True
    elif g.person.is_staff:
        return False
    else:
        person_id = g.person.id
    marks: Marks = current_app.extensions["replica_marks"]
    return person_id is None or not marks.may_have_written(person_id)


def _person_of_token() -> int | None:
    """Who asks, on a route that is open to all and does not care. One who has signed out is still the same person."""
    with suppress(UnauthenticatedError):
        return verify_token(request.headers.get("Authorization", "").rpartition(" ")[2], "access").customer_id
    return None


def _monitor() -> Monitor:
    monitor: Monitor = current_app.extensions["replica_monitor"]
    return monitor
