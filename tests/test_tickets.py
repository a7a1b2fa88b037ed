"""Tickets: for one order, for a minute, and for a day to who was there before."""

import time

import pytest
from itsdangerous import TimestampSigner

from grocery.tickets import OPENING_SECONDS, RESUMING_SECONDS, TicketError, make_ticket, read_ticket

SECRET = "a secret for tests, long enough"


@pytest.mark.parametrize("is_public", [True, False])
def test_a_ticket_says_which_order_it_is_for_and_who_got_it(is_public: bool) -> None:
    ticket = read_ticket(make_ticket(SECRET, 2**63 - 1, is_public=is_public), SECRET)
    assert (ticket.order_id, ticket.is_public) == (2**63 - 1, is_public)
    assert (ticket.opens, ticket.resumes) == (True, True)


@pytest.mark.parametrize(
    ("age", "opens", "resumes"),
    [
        (OPENING_SECONDS - 5, True, True),
        (OPENING_SECONDS + 5, False, True),
        (RESUMING_SECONDS - 5, False, True),
        (RESUMING_SECONDS + 5, False, False),
        (-30, True, True),  # the clock of the host that gave it out is ahead
        (-3600, False, False),
    ],
)
def test_a_ticket_grows_old(age: int, opens: bool, resumes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time() - age))
        made = make_ticket(SECRET, 7, is_public=False)
    ticket = read_ticket(made, SECRET)
    assert (ticket.opens, ticket.resumes) == (opens, resumes)


def test_what_this_shop_has_not_made_is_no_ticket() -> None:
    genuine = make_ticket(SECRET, 7, is_public=False)
    _, _, signed = genuine.partition("-")
    for forged in (
        "",
        "7-o",
        genuine[:-2],
        f"8-{signed}",
        genuine.replace("-o", "-p"),
        make_ticket(f"{SECRET}!", 7, is_public=False),
        TimestampSigner(SECRET).sign("7-o").decode(),
        "\x00",
        "ü" * 40,
        "\ud800",
        "." * 5000,
    ):
        with pytest.raises(TicketError):
            read_ticket(forged, SECRET)
