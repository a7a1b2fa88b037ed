"""Who reads or changes an order: a person in a role, or the system."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """`role` is customer, staff, admin or system; `id` is None for the system."""

    id: int | None
    role: str

    @property
    def is_staff(self) -> bool:
        return self.role != "customer"


SYSTEM = Actor(None, "system")
