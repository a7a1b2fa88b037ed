"""The SMS provider: asked for the balance, which costs nothing and proves address, certificate and key."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg2

from grocery.doctor.asking import asking
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok, warning
from grocery.notify.clients.balance import BalanceError, read_balance

_SPENT = """
    SELECT coalesce(max(amount), 0) FROM sms_spending WHERE day > current_date - 8 AND currency = %(currency)s
"""


def look(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if settings.sms_backend == "console":
        yield ok("SMS_BACKEND is console: SMS are written to the log.")
        return
    try:
        balance = read_balance(settings.at_username, settings.at_api_key, settings.at_base_url)
    except BalanceError as error:
        remedy = "A new key takes up to 20 minutes, and one of the sandbox is none of the live account."
        if not error.is_refusal:
            remedy = "See docs/troubleshooting.md, SMS."
        yield failure(f"Africa's Talking cannot be used: {error}", remedy)
        return
    if balance.amount <= 0:
        yield failure(f"The account at Africa's Talking is empty ({balance}): no SMS is sent.", "Top it up.")
        return
    most = _most_of_a_day(patient, balance.currency)
    if most > balance.amount:
        what = f"The account has {balance}, less than the SMS of a day have cost lately ({most:.2f})."
        yield warning(what, "Top it up.")
    else:
        yield ok(f"Africa's Talking takes the key; the account has {balance}. To try: flask --app wsgi notify test-sms")


def _most_of_a_day(patient: Patient, currency: str) -> Decimal:
    """What the dearest day of the last week has cost; 0 when nobody can say."""
    try:
        with asking(patient.engines.connect_directly) as questions:
            return Decimal(questions.value(_SPENT, currency=currency))
    except psycopg2.Error:
        return Decimal(0)
