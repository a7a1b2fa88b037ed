"""Errors as pages that help: what happened, in the visitor's language, and where to go on."""

from typing import Any

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.cookies import has_session_cookies
from grocery.auth.errors import ForgedRequestError, SignInAgainError
from grocery.auth.second_factor.errors import TotpNeededError
from grocery.errors import (
    GroceryError,
    TooManyRequestsError,
    UnauthenticatedError,
    handle_database_error,
    handle_pool_timeout,
    handle_unexpected,
    status_of,
)
from grocery.storefront.looks import too_often
from grocery.storefront.returning import page_of_form


def add_error_pages(blueprint: Blueprint) -> None:
    """Make every error that leaves a view of this blueprint a page."""
    blueprint.register_error_handler(UnauthenticatedError, _lead_to_sign_in)
    blueprint.register_error_handler(SignInAgainError, _lead_to_fresh_sign_in)
    blueprint.register_error_handler(TotpNeededError, _lead_to_second_factor)
    blueprint.register_error_handler(GroceryError, _show_grocery_error)
    blueprint.register_error_handler(HTTPException, _show_http_exception)
    blueprint.register_error_handler(DBAPIError, lambda error: _as_page(handle_database_error(error)))
    blueprint.register_error_handler(PoolTimeoutError, lambda error: _as_page(handle_pool_timeout(error)))
    blueprint.register_error_handler(Exception, lambda error: _as_page(handle_unexpected(error)))


def error_page(
    status: int, detail: str | None = None, heading: str | None = None, is_detail_english: bool = False
) -> Response:
    """The page for a status: 403, 404, 429, 500 and 503 have words of their own."""
    page = render_template(
        "shop/error.html",
        status=status,
        detail=detail,
        heading=heading,
        is_detail_english=is_detail_english,
        request_id=g.get("request_id"),
    )
    return make_response(page, status)


def _lead_to_sign_in(_: GroceryError) -> AnyResponse:
    """Where one signs in, and then back to where one was: nothing that was filled in before is lost."""
    if request.method in ("GET", "HEAD"):
        back = request.full_path.rstrip("?")
    else:
        back = page_of_form()
        flash(gettext("You were signed out meanwhile. Sign in to go on; nothing is lost."), "note")
    return redirect(url_for("account.show_sign_in", return_to=back), 303)


def _lead_to_fresh_sign_in(error: SignInAgainError) -> AnyResponse:
    flash(gettext("To do this, sign in once more: so nobody else can who finds your phone."), "note")
    return redirect(url_for("account.show_sign_in", return_to=page_of_form()), 303)


def _lead_to_second_factor(error: TotpNeededError) -> AnyResponse:
    return redirect(url_for("account.show_second_factor"), 303)


def _show_grocery_error(error: GroceryError) -> AnyResponse:
    status = int(status_of(error))
    if isinstance(error, ForgedRequestError):
        # A form that was made for somebody who was signed in, by whom it is no more: its token ended with the sign-in.
        if "is_known" in request.form and not has_session_cookies():
            return _lead_to_sign_in(error)
        detail = gettext("This page was open for too long. Load it again, then repeat what you did.")
        return error_page(status, detail, gettext("Load this page again"))
    if isinstance(error, TooManyRequestsError):
        response = error_page(status, too_often(error.retry_after_seconds))
        response.headers["Retry-After"] = str(error.retry_after_seconds)
        return response
    # What no page has words for is said in the language of the API, and marked, so that it is read out rightly.
    return error_page(status, error.detail, is_detail_english=True)


def _show_http_exception(error: HTTPException) -> Any:
    if (error.code or 500) < 400:
        return error.get_response()
    return error_page(error.code or 500)


def _as_page(problem: Response) -> Response:
    response = error_page(problem.status_code)
    if retry_after := problem.headers.get("Retry-After"):
        response.headers["Retry-After"] = retry_after
    return response
