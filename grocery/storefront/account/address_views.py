"""The places that a customer has saved."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, customer_required
from grocery.db import reader, transaction
from grocery.orders.delivery import addresses
from grocery.orders.delivery.schemas import WriteAddressSchema
from grocery.orders.delivery.zones import list_zones
from grocery.storefront.account.blueprint import blp
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse
from grocery.storefront.pages import go, go_back, render, say
from grocery.storefront.returning import return_address

_FIELDS = ("label", "zone_id", "address", "landmark", "phone", "note")

# Longer than any id: what is no id of a zone is said of the field.
_ID_DIGITS = 18


@blp.get("/account/addresses")
@customer_required
def list_addresses() -> Response:
    with reader() as connection:
        saved = addresses.list_addresses(connection, current_person().id)
        names = {zone["id"]: zone["name"] for zone in list_zones(connection)}
    return render("account/addresses.html", addresses=saved, zone_names=names, most=addresses.MAX_ADDRESSES)


@blp.get("/account/addresses/new")
@customer_required
def show_new_address() -> Response:
    return _page(None, {}, {})


@blp.post("/account/addresses/new")
@customer_required
def create_address() -> AnyResponse:
    try:
        values = _read()
        with transaction() as session:
            addresses.create_address(session, current_person().id, values)
    except PROBLEMS as error:
        return _refused(None, error)
    say(gettext("Address saved."))
    return go_back("account.list_addresses")


@blp.get("/account/addresses/<int:address_id>")
@customer_required
def show_address(address_id: int) -> Response:
    return _page(address_id, _find(address_id), {})


@blp.post("/account/addresses/<int:address_id>")
@customer_required
def replace_address(address_id: int) -> AnyResponse:
    _find(address_id)
    try:
        values = _read()
        with transaction() as session:
            addresses.replace_address(session, address_id, current_person().id, values)
    except PROBLEMS as error:
        return _refused(address_id, error)
    say(gettext("Address saved."))
    return go_back("account.list_addresses")


@blp.post("/account/addresses/<int:address_id>/delete")
@customer_required
def delete_address(address_id: int) -> AnyResponse:
    with transaction() as session:
        addresses.delete_address(session, address_id, current_person().id)
    say(gettext("Address deleted. Orders that you have placed keep it."))
    return go("account.list_addresses")


def _find(address_id: int) -> dict[str, Any]:
    """Raises AddressNotFoundError, also for another customer's."""
    with reader() as connection:
        return addresses.address_json(addresses.get_address(connection, address_id, current_person().id))


def _read() -> dict[str, Any]:
    zone = request.form.get("zone_id", "")
    is_id = zone.isascii() and zone.isdigit() and len(zone) <= _ID_DIGITS
    more = {"zone_id": int(zone) if is_id else zone} if zone else {}
    return read_form(
        WriteAddressSchema(),
        *(name for name in _FIELDS if name != "zone_id"),
        is_default="is_default" in request.form,
        **more,
    )


def _refused(address_id: int | None, error: Exception) -> Response:
    shown: dict[str, Any] = {name: request.form.get(name, "") for name in _FIELDS}
    problems = problems_of(error, "landmark", _FIELDS)
    if not (shown["address"].strip() or shown["landmark"].strip()):
        problems.pop("address", None)
        problems["landmark"] = gettext("Write where it is: a landmark, or the street and house.")
    shown["is_default"] = "is_default" in request.form
    return refuse(_page(address_id, shown, problems), error)


def _page(address_id: int | None, shown: Mapping[str, Any], errors: Mapping[str, str]) -> Response:
    with reader() as connection:
        zones = list_zones(connection)
    return render(
        "account/address.html",
        address_id=address_id,
        shown=shown,
        zones=zones,
        errors=errors,
        return_to=return_address(),
    )
