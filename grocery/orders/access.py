"""Who reads or changes orders in this request."""

from grocery.auth.access import current_person
from grocery.orders.actors import Actor


def current_actor() -> Actor:
    """The person behind this request. Only for views that need a sign-in."""
    person = current_person()
    return Actor(person.id, person.role)
