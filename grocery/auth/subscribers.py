"""Who wants to hear of offers, and by which way; the holder of an address may say so without signing in."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from grocery.auth.models import Customer
from grocery.auth.people import Person
from grocery.db import db, reader
from grocery.notify.campaigns.holding import drop_offers, drop_offers_of
from grocery.notify.extension import Subscriber

_ADDRESS: dict[str, InstrumentedAttribute[str | None]] = {"sms": Customer.phone, "email": Customer.email}
_IS_WANTED: dict[str, InstrumentedAttribute[bool]] = {
    "sms": Customer.marketing_sms,
    "email": Customer.marketing_email,
}


def find_subscribers(channel: str, after_id: int, limit: int) -> Sequence[Subscriber]:
    """Up to `limit` subscribers of a channel by id, those after `after_id` only.

    In the caller's transaction, which holds their choices until its commit: whoever takes one back meanwhile waits, and
    then finds what was written for them.
    """
    address = _ADDRESS[channel]
    statement = (
        select(Customer.id, address, Customer.language)
        .where(_subscribes(channel), Customer.id > after_id)
        .order_by(Customer.id)
        .limit(limit)
        .with_for_update(read=True)
    )
    rows = db.session.execute(statement)
    return [Subscriber(customer_id, to, language) for customer_id, to, language in rows if to is not None]


def count_subscribers(channel: str) -> int:
    with reader() as connection:
        return connection.scalar(select(func.count()).select_from(Customer).where(_subscribes(channel))) or 0


def note_choice(_sender: object, *, channel: str, address: str, is_wanted: bool) -> None:
    """The receiver of `marketing_chosen`: every account with this address, since it is its holder who speaks.

    By id, so that two who change the same accounts do not wait for each other in a circle. The offers go last: until
    the accounts are locked, more of them may be written.
    """
    accounts = (
        select(Customer.id).where(_ADDRESS[channel] == address).order_by(Customer.id).with_for_update(key_share=True)
    )
    ids = db.session.scalars(accounts).all()
    if ids:
        statement = update(Customer).where(Customer.id.in_(ids)).values({_IS_WANTED[channel]: is_wanted})
        db.session.execute(statement.execution_options(synchronize_session=False))
    if not is_wanted:
        drop_offers(channel, address=address)


def drop_unwanted_offers(before: Person, after: Person) -> None:
    """Delete the offers that wait for a person who does not want them any more, or not at this address."""
    for channel in _ADDRESS:
        wanted_at = _wants_offers_at(before, channel)
        if wanted_at is not None and wanted_at != _wants_offers_at(after, channel):
            drop_offers_of(after.id, channel)


def _wants_offers_at(person: Person, channel: str) -> str | None:
    is_wanted = person.is_active and getattr(person, _IS_WANTED[channel].key)
    return getattr(person, _ADDRESS[channel].key) if is_wanted else None


def _subscribes(channel: str) -> ColumnElement[bool]:
    return and_(_IS_WANTED[channel], Customer.is_active, _ADDRESS[channel].is_not(None))
