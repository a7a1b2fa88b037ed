"""The states of an order and who may move it where. Pure: no web, no database."""

FLOW = ("pending", "confirmed", "packed", "shipped", "delivered")
DELIVERED = "delivered"
CANCELLED = "cancelled"
STATUSES = (*FLOW, CANCELLED)

#: Lines may still change, and stock is still on the shelf.
OPEN_STATUSES = ("pending", "confirmed")
#: The reason with which an order that is on its way can be cancelled.
DELIVERY_FAILED = "delivery_failed"
#: Nothing leaves these.
FINAL_STATUSES = (DELIVERED, CANCELLED)

_CANCELLABLE_BY = {
    "customer": ("pending", "confirmed"),
    "staff": ("pending", "confirmed", "packed"),
}


def allowed_statuses(status: str, *, is_staff: bool, reason: str | None = None) -> list[str]:
    """Where an order may go from `status`, in the order of the flow.

    Staff may jump forward, since a small shop marks an order shipped right away; nothing goes back. With the `reason`
    DELIVERY_FAILED, one that is shipped may be cancelled, and nothing else.
    """
    if reason == DELIVERY_FAILED:
        return [CANCELLED] if is_staff and status == "shipped" else []
    forward = list(FLOW[FLOW.index(status) + 1 :]) if is_staff and status in FLOW else []
    return forward + ([CANCELLED] if status in _CANCELLABLE_BY["staff" if is_staff else "customer"] else [])


def steps(status: str, to: str) -> list[str]:
    """The statuses that a move passes, its goal last: pending → shipped is confirmed, packed, shipped."""
    if to == CANCELLED:
        return [CANCELLED]
    return list(FLOW[FLOW.index(status) + 1 : FLOW.index(to) + 1])


def takes_goods(status: str, to: str) -> bool:
    """Whether the goods leave the shelf with this move: it passes `packed`, if only in a jump."""
    return status in OPEN_STATUSES and to not in (*OPEN_STATUSES, CANCELLED)
