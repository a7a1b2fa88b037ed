"""A document as the answer of a view, of the API and of a page alike."""

from flask import Response, current_app, request

from grocery.auth.access import current_person
from grocery.auth.throttling.tries import limit_costly
from grocery.orders.documents.rendering import entity_tag, render
from grocery.orders.documents.wording import Document, Shop


def answer_document(document: Document) -> Response:
    """The PDF, or 304 before it is made. What was read is in `document`: no connection waits for it to be laid out."""
    tag = entity_tag(document)
    response = Response(mimetype="application/pdf")
    if request.if_none_match.contains_weak(tag):
        response.status_code = 304
    else:
        limit_costly(current_person().id, "documents")
        response.set_data(render(document))
        response.headers["Content-Disposition"] = f'inline; filename="{document.filename}"'
    response.set_etag(tag)
    return response


def current_shop() -> Shop:
    return Shop.of(current_app.config)
