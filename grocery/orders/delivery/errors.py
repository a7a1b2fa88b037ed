"""What can go wrong with zones, slots, templates and addresses."""

from grocery.errors import ConflictError, NotFoundError


class ZoneNotFoundError(NotFoundError):
    def __init__(self, zone: int | str):
        super().__init__(f"There is no delivery zone {zone}.")


class ZoneExistsError(ConflictError):
    code = "zone_exists"

    def __init__(self, name: str):
        super().__init__(f"There is a delivery zone {name} already.")


class ZoneInUseError(ConflictError):
    """Orders that are still to be delivered go there."""

    code = "zone_in_use"

    def __init__(self) -> None:
        super().__init__("Orders that are neither delivered nor cancelled go to this zone.")


class SlotNotFoundError(NotFoundError):
    def __init__(self, slot_id: int):
        super().__init__(f"There is no delivery slot {slot_id}.")


class SlotExistsError(ConflictError):
    code = "slot_exists"

    def __init__(self) -> None:
        super().__init__("The zone has a slot with these times already.")


class SlotBookedError(ConflictError):
    """Orders hold the slot; `booked` says how many."""

    code = "slot_booked"

    def __init__(self, booked: int):
        super().__init__(
            "Orders hold this slot: it can neither go nor move to another zone. To close it, set its capacity to what "
            "is booked.",
            booked=booked,
        )


class CapacityBelowBookedError(ConflictError):
    """More orders hold the slot than it would have room for; `booked` says how many."""

    code = "capacity_below_booked"

    def __init__(self, booked: int):
        super().__init__(f"{booked} orders hold this slot; its capacity cannot be lower.", booked=booked)


class TemplateNotFoundError(NotFoundError):
    def __init__(self, template_id: int):
        super().__init__(f"There is no template {template_id} of delivery slots.")


class AddressNotFoundError(NotFoundError):
    """No such address, or one of somebody else: who asks must not learn which."""

    def __init__(self, address_id: int):
        super().__init__(f"There is no address {address_id}.")


class TooManyAddressesError(ConflictError):
    code = "too_many_addresses"

    def __init__(self, limit: int):
        super().__init__(f"You have saved {limit} addresses already. Delete one first.", limit=limit)
