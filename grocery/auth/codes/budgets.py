"""How many codes go out within a day: to one number or address, and by SMS in all, since each costs money.

Anybody may have codes sent to anyone. So that a stranger who does so keeps no owner out, a part of both budgets is for
known devices only: half as many again of a number's codes, and the last fifth of the shop's.
"""

import phonenumbers
from flask import current_app
from sqlalchemy import text

from grocery.auth.codes.errors import CodeBudgetUsedUpError, CodesUsedUpError
from grocery.auth.throttling.devices import find_device
from grocery.db import db

# Of other countries' numbers, the part of the shop's budget: SMS there are dear, and who pumps them is paid there.
_ABROAD_PART = 10

# Of the shop's budget, the part that is kept for known devices.
_KEPT_PART = 5

# When the oldest code that fills the budget is a day old, there is room for another one.
_SECONDS_UNTIL_ROOM = text("""
    SELECT ceil(extract(epoch FROM created_at + interval '1 day' - now()))
    FROM one_time_codes
    WHERE target = :target AND created_at > now() - interval '1 day'
    ORDER BY created_at DESC
    OFFSET :limit - 1 LIMIT 1
""")

# Phone numbers begin with a +, e-mail addresses do not go out by SMS.
_COUNT_SMS = text("""
    SELECT count(*) AS in_all, count(*) FILTER (WHERE target NOT LIKE :home) AS abroad
    FROM one_time_codes
    WHERE created_at > now() - interval '1 day' AND target LIKE '+%' AND is_sent
""")


def check_budgets(target: str) -> None:
    """Raise CodeBudgetUsedUpError or CodesUsedUpError when no other code may go to this number or e-mail address."""
    is_known = find_device(target) is not None
    _check_target(target, is_known=is_known)
    if target.startswith("+"):
        _check_shop(target, is_known=is_known)


def _check_target(target: str, *, is_known: bool) -> None:
    limit: int = current_app.config["CODES_PER_NUMBER"]
    if is_known:
        limit += max(limit // 2, 1)
    wait = db.session.scalar(_SECONDS_UNTIL_ROOM, {"target": target, "limit": limit})
    if wait is not None:
        raise CodeBudgetUsedUpError(max(int(wait), 1))


def _check_shop(phone: str, *, is_known: bool) -> None:
    config = current_app.config
    home = f"+{phonenumbers.country_code_for_region(config['DEFAULT_COUNTRY'])}"
    sent = db.session.execute(_COUNT_SMS, {"home": f"{home}%"}).one()
    limit: int = config["CODES_PER_DAY"]
    if sent.in_all >= (limit if is_known else limit - limit // _KEPT_PART):
        raise CodesUsedUpError(limit, is_abroad=False)
    limit_abroad = max(limit // _ABROAD_PART, 1)
    if not phone.startswith(home) and sent.abroad >= limit_abroad:
        raise CodesUsedUpError(limit_abroad, is_abroad=True)
