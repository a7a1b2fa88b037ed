"""What SMS cost, and what a day of them may cost: SMS_DAILY_BUDGET."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.db import db
from grocery.money import round_half_up, to_display
from grocery.notify.service import Message, admin_recipients, queue_messages

#: Admins are told when a day's SMS have cost so much of the budget, in percent.
LEVELS = (80, 100)

_COST = re.compile(r"([A-Z]{3}) ?([0-9]{1,9}(?:\.[0-9]{1,6})?)")

#: True in SQL when the day's budget is used up, with the values of `budget_terms()`; never without a budget.
IS_USED_UP = """
    EXISTS (SELECT FROM sms_spending WHERE day = :day AND currency = :currency AND amount >= CAST(:budget AS numeric))
"""

#: True in SQL when an e-mail says the same as the SMS in the row `due`: it stands in its place, or goes out beside it.
IS_SAID_BY_MAIL = """
    EXISTS (
        SELECT FROM notifications AS mail
        WHERE mail.status <> 'failed' AND (
            mail.fallback_for_id = due.id
            OR (mail.order_id = due.order_id AND mail.customer_id = due.customer_id AND mail.channel = 'email'
                AND mail.event = due.event)
        )
    )
"""

_READ = text(f"SELECT {IS_USED_UP}")

_SPEND = text(
    """
    INSERT INTO sms_spending AS s (day, currency, amount, messages)
    VALUES (:day, :currency, :amount, :messages)
    ON CONFLICT (day, currency) DO UPDATE
    SET amount = s.amount + EXCLUDED.amount, messages = s.messages + EXCLUDED.messages
    RETURNING amount
    """
)


def parse_cost(written: str | None) -> tuple[str, Decimal] | None:
    """ "KES 0.8000" as the currency and the amount; None for what is no cost, such as "0"."""
    match = _COST.fullmatch(written or "")
    return (match[1], Decimal(match[2])) if match else None


def budget_terms() -> dict[str, Any]:
    """The values that IS_USED_UP takes."""
    config = current_app.config
    return {"day": _today(), "currency": config["CURRENCY"], "budget": config["SMS_DAILY_BUDGET"]}


def is_used_up() -> bool:
    """Whether the SMS of today have cost as much as they may. Asks nobody when there is no budget."""
    if current_app.config["SMS_DAILY_BUDGET"] is None:
        return False
    return bool(db.session.execute(_READ, budget_terms()).scalar_one())


def note_costs(costs: Iterable[str | None]) -> None:
    """Add up what SMS have cost, as the provider wrote it, and tell the admins when it comes near the budget.

    In the caller's transaction, whose end other senders wait for: call it last.
    """
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    messages: Counter[str] = Counter()
    for cost in filter(None, map(parse_cost, costs)):
        amounts[cost[0]] += cost[1]
        messages[cost[0]] += 1
    for currency, amount in sorted(amounts.items()):
        values = {"day": _today(), "currency": currency, "amount": amount, "messages": messages[currency]}
        spent = db.session.execute(_SPEND, values).scalar_one()
        if currency == current_app.config["CURRENCY"]:
            _tell_admins(before=spent - amount, spent=spent)


def _today() -> date:
    return datetime.now(current_app.config["TIMEZONE"]).date()


def _tell_admins(*, before: Decimal, spent: Decimal) -> None:
    budget: Decimal | None = current_app.config["SMS_DAILY_BUDGET"]
    if budget is None:
        return
    passed = [level for level in LEVELS if before * 100 < budget * level <= spent * 100]
    if passed:
        queue_messages([_warning(passed[-1], budget, spent, recipient) for recipient in admin_recipients()])


def _warning(level: int, budget: Decimal, spent: Decimal, recipient: str) -> Message:
    config = current_app.config
    return Message(
        channel="email",
        event="sms_budget",
        audience="admin",
        recipient=recipient,
        context={
            "shop": config["SHOP_NAME"],
            "url": config["SHOP_URL"] or None,
            "budget": _display(budget),
            "spent": _display(spent),
            "percent": level,
            "is_used_up": level >= 100,
        },
        dedupe_key=f"sms_budget:{_today()}:{level}:email:{recipient}",
    )


def _display(amount: Decimal) -> str:
    return to_display(round_half_up(amount * 100), current_app.config["CURRENCY"])
