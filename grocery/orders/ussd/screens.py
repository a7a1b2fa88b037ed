"""The screens that only show something: each reads what it needs and says it."""

from collections.abc import Callable, Mapping, Sequence

from grocery.db import Row
from grocery.orders.changing import list_lines
from grocery.orders.lines import quantity_of
from grocery.orders.states import CANCELLED, allowed_statuses
from grocery.orders.ussd import reading
from grocery.orders.ussd.layout import Entry, Screen
from grocery.orders.ussd.repeating import Repeat, find_last_order, get_own_order, price_again
from grocery.orders.ussd.visit import Visit, item

#: The choice that changes the language of the menu.
SWITCH_LANGUAGE = "switch_language"

#: Times that an order can be repeated for.
_TIMES_TO_CHOOSE = 5


def show_main_menu(visit: Visit) -> Screen:
    say = visit.phrases
    return Screen(
        visit.shop,
        # As actions, since a page of entries has room for five.
        actions=[
            Entry(say.my_orders, ["orders"]),
            Entry(say.order_again, ["again"]),
            Entry(say.offers, ["offers"]),
            Entry(say.best_sellers, ["best_sellers"]),
            Entry(say.delivery_times, ["zones"]),
            Entry(say.other_language_name, [SWITCH_LANGUAGE]),
        ],
    )


def show_orders(visit: Visit) -> Screen:
    orders = reading.list_orders(visit.session, visit.phone)
    if not orders:
        return Screen(visit.phrases.no_orders)
    return Screen(
        visit.phrases.choose_order, [Entry(_headline(visit, order), ["order", order["id"]]) for order in orders]
    )


def show_order(visit: Visit, order_id: int) -> Screen:
    """Raises OrderNotFoundError."""
    order = reading.get_order(visit.session, visit.phone, order_id)
    lines = [line for line in list_lines(visit.session, order_id) if quantity_of(line)]
    words = [_headline(visit, order), visit.phrases.total.format(total=visit.amount(order["total_cents"]))]
    if order["slot_starts_at"]:
        words.append(visit.window(order["slot_starts_at"], order["slot_ends_at"]))
    is_cancellable = CANCELLED in allowed_statuses(order["status"], is_staff=False)
    return Screen(
        "\n".join(words),
        [Entry(item(quantity_of(line), line["unit"], line["name"])) for line in lines],
        actions=[Entry(visit.phrases.cancel, ["ask_cancel", order_id])] if is_cancellable else [],
    )


def ask_cancel(visit: Visit, order_id: int) -> Screen:
    """Raises OrderNotFoundError."""
    order = reading.get_order(visit.session, visit.phone, order_id)
    question = visit.phrases.really_cancel.format(number=order["number"], total=visit.amount(order["total_cents"]))
    return Screen(question, actions=[Entry(visit.phrases.yes, ["cancel", order_id])])


def show_last_order(visit: Visit) -> Screen:
    """Where the last order can be repeated: for a delivery the times first, since they have prices of their own."""
    order = find_last_order(visit.session, visit.phone)
    if order is None:
        return Screen(visit.phrases.nothing_to_repeat)
    if order["delivery_method"] == "pickup":
        return _show_repeat(visit, order, None)
    slots = reading.list_slots(visit.session, order["zone_id"], _TIMES_TO_CHOOSE)
    if not slots:
        return _show_repeat(visit, order, None)
    entries = [Entry(_time(visit, slot), ["confirm", order["id"], slot["id"]]) for slot in slots]
    return Screen("\n".join([*_warnings(visit, order), visit.phrases.choose_time]), entries)


def confirm_order(visit: Visit, order_id: int, slot_id: int) -> Screen:
    """Raises OrderNotFoundError, and what `price_again` does."""
    return _show_repeat(visit, get_own_order(visit.session, visit.phone, order_id), slot_id)


def show_offers(visit: Visit) -> Screen:
    products = reading.list_offers(visit.session)
    if not products:
        return Screen(visit.phrases.no_offers)
    return Screen(
        visit.phrases.offers_title.format(currency=visit.currency),
        [
            Entry(
                visit.phrases.offer.format(
                    name=_short(product["name"]),
                    price=visit.price(product["price_cents"], product["unit"]),
                    was=visit.price(product["compare_at_price_cents"]),
                )
            )
            for product in products
        ],
    )


def show_best_sellers(visit: Visit) -> Screen:
    products = reading.list_best_sellers(visit.session)
    if not products:
        return Screen(visit.phrases.no_best_sellers)
    return Screen(
        visit.phrases.best_sellers_title.format(currency=visit.currency),
        [
            Entry(f"{_short(product['name'])} {visit.price(product['price_cents'], product['unit'])}")
            for product in products
        ],
    )


def choose_zone(visit: Visit) -> Screen:
    """The zones; the times themselves where there is one only."""
    zones = reading.list_zones(visit.session)
    if not zones:
        return Screen(visit.phrases.no_times)
    if len(zones) == 1:
        return show_times(visit, zones[0]["id"])
    return Screen(visit.phrases.choose_zone, [Entry(zone["name"], ["times", zone["id"]]) for zone in zones])


def show_times(visit: Visit, zone_id: int) -> Screen:
    slots = reading.list_slots(visit.session, zone_id)
    if not slots:
        return Screen(visit.phrases.no_times)
    return Screen(visit.phrases.times_title, [Entry(_time_with_room(visit, slot)) for slot in slots])


SCREENS: Mapping[str, Callable[..., Screen]] = {
    "main": show_main_menu,
    "orders": show_orders,
    "order": show_order,
    "ask_cancel": ask_cancel,
    "again": show_last_order,
    "confirm": confirm_order,
    "offers": show_offers,
    "best_sellers": show_best_sellers,
    "zones": choose_zone,
    "times": show_times,
}


def _show_repeat(visit: Visit, order: Row, slot_id: int | None) -> Screen:
    say, repeat = visit.phrases, price_again(visit.session, order, slot_id)
    slot = repeat.priced.basket.slot
    way = say.pickup if order["delivery_method"] == "pickup" else say.cash
    words = [*_warnings(visit, order), say.confirm_order.format(total=visit.amount(repeat.total_cents), way=way)]
    if slot:
        words.append(visit.window(slot["starts_at"], slot["ends_at"]))
    place = ["place", order["id"], slot_id, repeat.total_cents]
    return Screen("\n".join(words), _list_repeated(visit, repeat), actions=[Entry(say.order_it, place)])


def _warnings(visit: Visit, order: Row) -> list[str]:
    """That it was ordered already, for those who have not seen the last screen."""
    return [visit.phrases.placed_just_now.format(number=order["number"])] if order["is_placed_just_now"] else []


def _list_repeated(visit: Visit, repeat: Repeat) -> Sequence[Entry]:
    """What is left out comes first: it is what the customer does not expect."""
    say = visit.phrases
    entries = [Entry(say.left_out.format(name=_short(name))) for name in repeat.left_out]
    for line in repeat.lines:
        label = item(line.item.quantity, line.price.unit, _short(line.name))
        asked = repeat.asked[line.item.product_id]
        if line.item.quantity < asked:
            label = say.fewer.format(line=label, asked=item(asked, line.price.unit, "").strip())
        entries.append(Entry(label))
    return entries


def _headline(visit: Visit, order: Row) -> str:
    status = visit.phrases.status(order["status"], order["delivery_method"])
    return visit.phrases.order.format(number=order["number"], status=status)


def _time(visit: Visit, slot: Row) -> str:
    fee = f", {visit.amount(slot['fee_cents'])}" if slot["fee_cents"] else ""
    return visit.window(slot["starts_at"], slot["ends_at"]) + fee


def _time_with_room(visit: Visit, slot: Row) -> str:
    return f"{_time(visit, slot)}, {visit.phrases.left.format(left=slot['left'])}"


def _short(name: str) -> str:
    """A name that leaves room for what is said of it."""
    return name if len(name) <= 32 else f"{name[:30].rstrip()}.."
