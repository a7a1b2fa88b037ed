"""What views and services say to the kept answers: this one may be kept; what they show has changed."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, request

from grocery.answers.middleware import MARK, WHOLE
from grocery.db import after_commit
from grocery.web import revalidated

_CONDITION = "HTTP_IF_NONE_MATCH"


def kept(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let the answers of a view to visitors be kept; stands next to `public`, outside of what reads arguments.

    Such a view may depend on its address, the language and the tables that have the trigger
    `grocery_catalogue_changed`, and on nothing else: no cookie, no other header, not the time.
    """
    revalidated_view = revalidated(view)

    @wraps(revalidated_view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        environ = request.environ
        environ[MARK] = True
        condition = environ.pop(_CONDITION, None) if WHOLE in environ else None
        try:
            return revalidated_view(*args, **kwargs)
        finally:
            if condition is not None:
                environ[_CONDITION] = condition

    return wrapper


def is_to_be_kept() -> bool:
    """Whether the answer to this request may be kept: then it must be made from the database that commits."""
    return MARK in request.environ and WHOLE in request.environ


def catalogue_changed() -> None:
    """Forget this process's kept answers when the current `transaction()` has committed.

    Called by the services that change what is shown, so that a writer sees the change in its very next request. Other
    processes, and those that change tables without a service, are told by the database's triggers.
    """
    answers = current_app.extensions.get("answers")
    if answers is not None:
        after_commit("catalogue_changed", answers.forget)
