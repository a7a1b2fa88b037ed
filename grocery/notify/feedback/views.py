"""The routes of feedback on e-mail: unsubscribing, for people, and bounces, for mail systems."""

from typing import Any

from flask import Response, current_app, make_response, render_template, request

from grocery.api import Blueprint, public
from grocery.config import LANGUAGES
from grocery.db import transaction
from grocery.notify.feedback.bounces import Noted, note_bounce, note_complaint
from grocery.notify.feedback.schemas import BOUNCE_EXAMPLE, NOTED_EXAMPLE, BounceSchema, NotedSchema
from grocery.notify.feedback.unsubscribing import end_offers
from grocery.notify.feedback.words import WORDS
from grocery.notify.links import LinkNotFoundError, read_unsubscribe_token
from grocery.notify.receipts.secret import check_secret

blp = Blueprint(
    "mail_feedback",
    __name__,
    url_prefix="/notify",
    template_folder="templates",
    description="What comes back of e-mails: unsubscribing, bounces, complaints.",
)

# The link is the key: it must not stay in caches and search engines, nor be told to whoever a page links to.
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Vary": "Accept, Accept-Language",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
}


@blp.route("/unsubscribe/<token>")
@public
@blp.response(200, description="A web page with one button.", content_type="text/html")
def show_unsubscribe_page(token: str) -> Response:
    """Ask whether to end the offers by e-mail

    The link in each of them. Looking at it changes nothing: mail scanners open links, too.
    """
    try:
        address = read_unsubscribe_token(token)
    except LinkNotFoundError:
        return _page_without_link()
    return _page("ask", 200, address)


@blp.route("/unsubscribe/<token>", methods=["POST"])
@public
@blp.response(200, description="A web page that says so.", content_type="text/html")
def unsubscribe(token: str) -> Response:
    """End the offers by e-mail

    What the page's button does, and mail programs by themselves (RFC 8058: a POST with any body, of any content type).
    Messages about orders still come. Repeating it changes nothing.
    """
    try:
        address = read_unsubscribe_token(token)
    except LinkNotFoundError:
        return _page_without_link()
    with transaction():
        end_offers(address)
    return _page("done", 200, address)


def _check_secret(secret: str) -> None:
    check_secret(secret, current_app.config["MAIL_CALLBACK_SECRET"])


@blp.route("/mail/<secret>/bounce", methods=["POST"])
@public
@blp.found_first(_check_secret)
@blp.arguments(BounceSchema, example=BOUNCE_EXAMPLE)
@blp.response(200, NotedSchema, description="It was noted; repeating it changes nothing.", example=NOTED_EXAMPLE)
def take_bounce(arguments: dict[str, Any], secret: str) -> Noted:
    """Note an e-mail that came back

    For adapters of mail services. A `permanent` one fails the message and suppresses the address, a `transient` one is
    written beside the message, a `complaint` suppresses the address and ends the offers to it.
    """
    _check_secret(secret)
    recipient, reason, message_id = arguments["recipient"], arguments["reason"], arguments["message_id"]
    message_id = f"<{message_id.strip('<>')}>" if message_id else None
    with transaction():
        if arguments["type"] == "complaint":
            return note_complaint(recipient, reason=reason, message_id=message_id)
        is_permanent = arguments["type"] == "permanent"
        return note_bounce(recipient, is_permanent=is_permanent, reason=reason, message_id=message_id)


def _page_without_link() -> Response:
    """A page for people; programs get the problem document."""
    if request.accept_mimetypes.best_match(("application/json", "text/html")) != "text/html":
        raise LinkNotFoundError
    return _page("no_link", 404)


def _page(kind: str, status: int, address: str = "") -> Response:
    language = request.accept_languages.best_match(LANGUAGES) or current_app.config["SHOP_LANGUAGE"]
    page = render_template(
        "unsubscribe.html", kind=kind, language=language, words=WORDS[language][kind], address=address
    )
    response = make_response(page, status)
    response.headers.update(_HEADERS)
    return response
