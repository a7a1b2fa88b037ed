"""What people wrote, for those who read it."""

from sqlalchemy import Table, inspect, select

from grocery.db import Row, reader
from grocery.notify.inbound.models import InboundSms

_table: Table = inspect(InboundSms).local_table  # type: ignore[assignment]  # typed for mapped subqueries too


def list_inbound(
    *,
    limit: int,
    before_id: int | None = None,
    phone: str | None = None,
    status: str | None = None,
    is_understood: bool | None = None,
) -> list[Row]:
    """SMS that came in, the newest first, those before an id only; None for any.

    What still waits is neither understood nor not understood.
    """
    statement = select(_table).order_by(_table.c.id.desc()).limit(limit)
    conditions = [
        _table.c.id < before_id if before_id is not None else None,
        _table.c.phone == phone if phone is not None else None,
        _table.c.status == status if status is not None else None,
        _table.c.command.is_not(None) if is_understood else None,
        _table.c.command.is_(None) & (_table.c.status != "received") if is_understood is False else None,
    ]
    for condition in conditions:
        if condition is not None:
            statement = statement.where(condition)
    with reader() as connection:
        return list(connection.execute(statement).mappings())
