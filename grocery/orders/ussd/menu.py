"""The shop's answer to a phone that has dialled its USSD code."""

from datetime import UTC, datetime

from flask import current_app

from grocery.auth.holders import find_holder
from grocery.db import db
from grocery.notify.hooks import UssdAnswer, UssdRequest
from grocery.orders.ussd.phrases import PHRASES
from grocery.orders.ussd.visit import Visit
from grocery.orders.ussd.walk import Walk


def answer_ussd(_sender: object, *, request: UssdRequest) -> UssdAnswer:
    """The answer to the signal `ussd_dialled`, in its transaction."""
    config = current_app.config
    visit = Visit(
        session=db.session(),
        session_id=request.session_id,
        phone=request.phone,
        phrases=PHRASES[_language(request)],
        shop=config["SHOP_NAME"],
        currency=config["CURRENCY"],
        timezone=config["TIMEZONE"],
        now=datetime.now(UTC),
    )
    return Walk(visit, request).answer()


def _language(request: UssdRequest) -> str:
    """What was chosen on this phone, else the language of its holder, else the shop's."""
    shop_language: str = current_app.config["SHOP_LANGUAGE"]
    if request.language or request.state:  # the state has its own
        return request.language or shop_language
    holder = find_holder(request.phone)
    return (holder.language if holder else None) or shop_language
