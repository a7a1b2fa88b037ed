"""Work that should be done by now: whatever the parts say of themselves, this is what customers notice."""

from collections.abc import Iterator

from grocery.doctor.asking import Questions, asking
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok, warning

_ORDERS = """
    SELECT count(*), extract(epoch FROM now() - min(placed_at))::int FROM orders
    WHERE status = 'pending' AND process_at < now() - interval '2 minutes'
"""
_TRIED_ORDERS = "SELECT count(*) FROM orders WHERE status = 'pending' AND process_attempts > 0"

# Offers wait for the end of the quiet hours, for the budget of the next day, and for all others.
_MESSAGES = """
    SELECT channel, count(*), extract(epoch FROM now() - min(next_attempt_at))::int FROM notifications
    WHERE next_attempt_at < now() - interval '5 minutes' AND status IN ('pending', 'unknown') AND priority < 2
    GROUP BY channel ORDER BY channel
"""
_STUCK = """
    SELECT count(*) FROM notifications WHERE status = 'sending' AND leased_until < now() - interval '5 minutes'
"""
_GIVEN_UP = """
    SELECT channel, count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'unknown'), count(*)
    FROM notifications WHERE created_at > now() - interval '1 day' AND next_attempt_at IS NULL AND status <> 'sending'
    GROUP BY channel ORDER BY channel
"""
_PAUSED = "SELECT name, error FROM channels WHERE paused_until > now() AND failures > 1 ORDER BY name"
_IMPORTS = """
    SELECT count(*) FILTER (WHERE status = 'waiting' AND created_at < now() - interval '10 minutes'),
           count(*) FILTER (WHERE status = 'running' AND leased_until < now() - interval '5 minutes')
    FROM product_imports WHERE status IN ('waiting', 'running')
"""
_INBOUND = "SELECT count(*) FROM inbound_sms WHERE status = 'received' AND received_at < now() - interval '5 minutes'"

_BAD_SHARE, _ENOUGH = 0.2, 10


def look(patient: Patient) -> Iterator[Finding]:
    is_all_well = True
    with asking(patient.engines.connect_directly) as questions:
        for part in (_orders, _messages, _outcomes, _rest):
            for finding in part(questions):
                is_all_well = False
                yield finding
    if is_all_well:
        yield ok("Nothing is overdue: orders, messages, imports, SMS from customers.")


def _orders(questions: Questions) -> Iterator[Finding]:
    number, seconds = questions.row(_ORDERS)
    if number:
        what = f"{number} orders should be confirmed by now, the oldest since {seconds // 60} min."
        yield failure(what, "Workers of the queue orders and the relay have to run: see `queues` and `relay`.")
    tried = questions.value(_TRIED_ORDERS)
    if tried:
        what = f"{tried} orders could not be confirmed yet, although a worker has tried."
        yield warning(what, "Its log says why: order … could not be processed.")


def _messages(questions: Questions) -> Iterator[Finding]:
    for channel, number, seconds in questions.rows(_MESSAGES):
        what = f"{number} messages by {channel} are late, the oldest by {seconds // 60} min."
        yield failure(what, "See `queues`, `relay` and flask --app wsgi notify status.")
    for name, error in questions.rows(_PAUSED):
        what = f"Nothing is sent by {name} since the provider cannot be used: {error}"
        yield failure(what, "See the check of the provider; it is tried again every minute at the least.")
    stuck = questions.value(_STUCK)
    if stuck:
        what = f"{stuck} messages were left by workers that died, and nobody takes them up."
        yield failure(what, "Workers of the queue notify and the relay have to run.")


def _outcomes(questions: Questions) -> Iterator[Finding]:
    for channel, failed, unknown, number in questions.rows(_GIVEN_UP):
        if number >= _ENOUGH and failed + unknown > number * _BAD_SHARE:
            what = f"Of {number} messages by {channel} in a day, {failed} failed and {unknown} are in doubt."
            yield warning(what, f"flask --app wsgi notify list --channel {channel} --status failed says why.")


def _rest(questions: Questions) -> Iterator[Finding]:
    waiting, left = questions.row(_IMPORTS)
    if waiting or left:
        what = f"{waiting} imports wait to begin, {left} were left by a worker that died."
        yield warning(what, "A worker of the queue bulk and the relay have to run.")
    unread = questions.value(_INBOUND)
    if unread:
        what = f"{unread} SMS from customers wait for an answer."
        yield warning(what, "Workers of the queue notify and the relay have to run.")
