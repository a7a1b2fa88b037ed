"""What the menu says, whatever the language: each language is one value of this form, so that none lacks a phrase."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """In the 7-bit alphabet and short: a screen has 182 characters. `refusals` are by the `code` of an error."""

    language: str
    other_language: str
    other_language_name: str

    back: str
    main_menu: str
    more: str
    wrong_choice: str
    confirm_again: str

    my_orders: str
    order_again: str
    offers: str
    best_sellers: str
    delivery_times: str

    choose_order: str
    no_orders: str
    order: str
    statuses: Mapping[str, str]
    pickup_statuses: Mapping[str, str]
    total: str
    cancel: str
    really_cancel: str
    yes: str
    cancelled: str

    nothing_to_repeat: str
    choose_time: str
    confirm_order: str
    cash: str
    pickup: str
    left_out: str
    fewer: str
    order_it: str
    total_changed: str
    placed: str
    placed_just_now: str

    offers_title: str
    no_offers: str
    offer: str
    best_sellers_title: str
    no_best_sellers: str
    per_kg: str

    choose_zone: str
    times_title: str
    no_times: str
    left: str
    today: str
    tomorrow: str
    days: Sequence[str]
    months: Sequence[str]

    refusals: Mapping[str, str]
    refusal: str

    def status(self, status: str, delivery_method: str) -> str:
        """How far an order is."""
        words = {**self.statuses, **(self.pickup_statuses if delivery_method == "pickup" else {})}
        return words[status]
