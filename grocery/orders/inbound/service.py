"""Answers to SMS about orders: STATUS, CANCEL, NO, in English and Swahili. Only an order's own phone is obeyed."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from grocery.db import Row, db
from grocery.notify.hooks import InboundMessage, Reply
from grocery.orders.actors import Actor
from grocery.orders.changing import change_status
from grocery.orders.errors import IllegalTransitionError
from grocery.orders.fulfilment.errors import TooLateError
from grocery.orders.fulfilment.refusing import refuse_substitute
from grocery.orders.inbound.finding import find_by_number, find_newest, last_change, list_substitutes
from grocery.orders.notice_context import order_context
from grocery.orders.numbers import take_number
from grocery.orders.states import CANCELLED, OPEN_STATUSES, STATUSES
from grocery.orders.tracking.links import find_link

_SWAHILI = "sw"

# Beside CANCEL and an order's number they add nothing. NO does, although some write "order no".
_FILLERS = frozenset({"MY", "THE", "THIS", "ORDER", "NUMBER", "NOW", "ODA", "YANGU", "HII", "NAMBA", "NAMBARI", "YA"})


@dataclass(frozen=True)
class _Question:
    """What a phone asks: the words after the command, and the language of the command if it is not English."""

    session: Session
    phone: str
    words: Sequence[str]
    language: str | None

    def reply(self, event: str, order: Row | None = None, *, is_told_anyway: bool = False, **context: Any) -> Reply:
        """The answer `event`, about an order if there is one.

        `is_told_anyway`: the order was changed, and if the customer hears of that by SMS, that is the answer.
        """
        if order is None:
            return Reply(event, {"order": None, **context}, self.language)
        return Reply(
            event,
            {"order": order_context(order), "track_url": find_link(order["id"]), **context},
            language=self.language or order["language"],
            # The key of the notice about the change.
            dedupe_key=f"{last_change(self.session, order['id'])}:sms:{self.phone}" if is_told_anyway else None,
            customer_id=order["customer_id"],
            order_id=order["id"],
        )


def answer_sms(_sender: object, *, message: InboundMessage) -> Reply | None:
    """Receiver of `sms_received`: does what the SMS asks and answers what to say; None for no command of orders.

    An order's number alone asks for its status.
    """
    first, *words = message.words
    if first in _COMMANDS:
        answer, language = _COMMANDS[first]
        return answer(_Question(db.session(), message.phone, words, language))
    number, others = take_number(message.words)
    if number is not None and not others:
        return _tell_status(_Question(db.session(), message.phone, message.words, None))
    return None


def _tell_status(question: _Question) -> Reply:
    number, others = take_number(question.words)
    if number is None and _looks_like_number(others):
        return question.reply("reply_order_unknown", number=None)
    if number is None:
        order = find_newest(question.session, question.phone, STATUSES)
        return question.reply("reply_status", order) if order else question.reply("reply_no_orders")
    order = find_by_number(question.session, question.phone, number)
    return question.reply("reply_status", order) if order else question.reply("reply_order_unknown", number=number)


def _cancel(question: _Question) -> Reply:
    """Cancel the order that is named, if nothing else is said: "Cancel the soap in G-7K3M9Q" is not about all of it.

    Without a number nothing is done: who means an older one would lose the wrong one.
    """
    number, others = take_number(question.words)
    if number is None and _looks_like_number(others):
        return question.reply("reply_order_unknown", number=None)
    if number is None:
        newest = find_newest(question.session, question.phone, OPEN_STATUSES)
        return question.reply("reply_which_order", newest) if newest else question.reply("reply_nothing_to_cancel")
    order = find_by_number(question.session, question.phone, number)
    if order is None:
        return question.reply("reply_order_unknown", number=number)
    if order["status"] in OPEN_STATUSES and not _FILLERS.issuperset(others):
        return question.reply("reply_which_order", order)
    owner_id = order["customer_id"]
    actor = Actor(owner_id, "customer")
    try:
        change_status(question.session, order["id"], CANCELLED, actor, owner_id=owner_id)
    except IllegalTransitionError as error:
        return question.reply("reply_not_cancelled", {**order, "status": error.members["current"]})
    return question.reply("reply_cancelled", {**order, "status": CANCELLED}, is_told_anyway=True)


def _refuse(question: _Question) -> Reply | None:
    """Give a substitute back, of several the one whose place in the list is named. "No problem" refuses nothing."""
    number, others = take_number(question.words)
    if not all(_is_place(word) for word in others) or len(others) > 1:
        return None
    if number is None:
        order = find_newest(question.session, question.phone, (*OPEN_STATUSES, "packed"), has_substitute=True)
    else:
        order = find_by_number(question.session, question.phone, number)
        if order is None:
            return question.reply("reply_order_unknown", number=number)
    substitutes = list_substitutes(question.session, order["id"]) if order else []
    taken = [line for line in substitutes if line["is_taken"]]
    if order is None or not taken:
        return question.reply("reply_no_substitute", order)
    place = int(others[0]) if others else None
    chosen = taken if place is None else list(substitutes[place - 1 : place])
    if len(chosen) != 1:
        return question.reply("reply_which_substitute", order, substitutes=_listed(substitutes))
    return _give_back(question, order, chosen[0])


def _give_back(question: _Question, order: Row, line: Row) -> Reply:
    owner_id = order["customer_id"]
    actor = Actor(owner_id, "customer")
    try:
        refuse_substitute(question.session, order["id"], line["id"], actor, owner_id=owner_id, version=None)
    except TooLateError:
        return question.reply("reply_too_late", order)
    now = find_by_number(question.session, question.phone, order["number"])  # with its new total
    return question.reply("reply_refused", now, is_told_anyway=line["is_taken"], name=line["name"])


_COMMANDS: Mapping[str, tuple[Callable[[_Question], Reply | None], str | None]] = {
    "STATUS": (_tell_status, None),
    "HALI": (_tell_status, _SWAHILI),
    "CANCEL": (_cancel, None),
    "STOP": (_cancel, None),  # of an order; all others are about messages, and do not come here
    "GHAIRI": (_cancel, _SWAHILI),
    "NO": (_refuse, None),
    "HAPANA": (_refuse, _SWAHILI),
}


def _looks_like_number(words: Sequence[str]) -> bool:
    """Whether somebody has tried to write an order's number."""
    return any(char.isdecimal() for word in words for char in word)


def _is_place(word: str) -> bool:
    """Whether it may be a place in a short list."""
    return re.fullmatch("[1-9][0-9]?", word) is not None


def _listed(substitutes: Sequence[Row]) -> list[dict[str, Any]]:
    return [{"place": place, "name": line["name"]} for place, line in enumerate(substitutes, 1) if line["is_taken"]]
