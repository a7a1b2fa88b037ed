"""Campaigns: one text to all who want to hear of offers."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_babel import gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, current_person
from grocery.db import transaction
from grocery.errors import GroceryError
from grocery.notify.campaigns import reading, service
from grocery.notify.campaigns.schemas import CampaignArgsSchema, SendTestSchema
from grocery.notify.campaigns.states import ACTIONS
from grocery.notify.campaigns.wording import write
from grocery.paging import cut_page, decode_id, encode_cursor
from grocery.storefront.desk.filters import first_address, next_address, read_filters
from grocery.storefront.desk.forms import REFUSALS, explain, first_of, load, text_or_none
from grocery.storefront.desk.notifications.blueprint import blp
from grocery.storefront.desk.notifications.campaign_forms import (
    problems_of,
    read_campaign,
    values_of,
    written_values,
)
from grocery.storefront.desk.notifications.words import CAMPAIGN_ACTIONS, CAMPAIGN_STATES, CHANNELS, WORDS
from grocery.storefront.languages import NAMES
from grocery.storefront.pages import go, refused, render, render_parts, say, wants_parts


@blp.get("/campaigns")
@admin_required
def list_campaigns() -> Response:
    filters, errors = read_filters(CampaignArgsSchema())
    before_id, limit = decode_id(filters.pop("cursor")), filters.pop("limit")
    found = reading.list_campaigns(**filters, before_id=before_id, limit=limit + 1)
    page, cursor = cut_page(found, limit, lambda row: encode_cursor(row["id"]))
    return render(
        "desk/campaigns/list.html",
        campaigns=page,
        errors=errors,
        next_address=next_address(cursor),
        first_address=first_address(),
        **_words(),
    )


@blp.get("/campaigns/new")
@admin_required
def show_new_campaign() -> Response:
    return _form_page(None, {"channel": "sms"}, {})


@blp.post("/campaigns/new")
@admin_required
def create_campaign() -> AnyResponse:
    try:
        body = read_campaign()
        with transaction():
            campaign_id = service.create_campaign(body, current_person().id)
    except REFUSALS as error:
        return refused(_form_page(None, written_values(), problems_of(error)))
    say(gettext("Saved as a draft. Nothing is sent before you start it."))
    return go("desk_notifications.show_campaign", campaign_id=campaign_id)


@blp.get("/campaigns/<int:campaign_id>")
@admin_required
def show_campaign(campaign_id: int) -> Response:
    campaign = reading.get_campaign(campaign_id)
    if wants_parts():
        return render_parts("desk/campaigns/_progress.html", campaign=campaign, **_words())
    return _campaign_page(campaign, {})


@blp.get("/campaigns/<int:campaign_id>/edit")
@admin_required
def show_edit_campaign(campaign_id: int) -> Response:
    return _form_page(campaign_id, values_of(reading.get_campaign(campaign_id)), {})


@blp.post("/campaigns/<int:campaign_id>/edit")
@admin_required
def replace_campaign(campaign_id: int) -> AnyResponse:
    reading.check_campaign_exists(campaign_id)
    try:
        body = read_campaign()
        with transaction():
            service.replace_campaign(campaign_id, body)
    except REFUSALS as error:
        return refused(_form_page(campaign_id, written_values(), problems_of(error)))
    say(gettext("Saved as a draft. Nothing is sent before you start it."))
    return go("desk_notifications.show_campaign", campaign_id=campaign_id)


@blp.post("/campaigns/<int:campaign_id>/test")
@admin_required
def test_campaign(campaign_id: int) -> AnyResponse:
    """Send one message of it to an address, to see what it looks like."""
    campaign = reading.get_campaign(campaign_id)
    try:
        body = load(SendTestSchema(), {name: text_or_none(name) for name in ("recipient", "language")})
        with transaction():
            service.send_test(campaign_id, **body)
    except REFUSALS as error:
        words = {**WORDS, "recipient": _recipient_words(campaign["channel"])}
        return refused(_campaign_page(campaign, explain(error, words)))
    say(gettext("The test is on its way to %(recipient)s.", recipient=body["recipient"]))
    return go("desk_notifications.show_campaign", campaign_id=campaign_id)


@blp.post("/campaigns/<int:campaign_id>/delete")
@admin_required
def delete_campaign(campaign_id: int) -> AnyResponse:
    try:
        with transaction():
            service.delete_campaign(campaign_id)
    except REFUSALS as error:
        say(first_of(explain(error, WORDS)), "bad")
        return go("desk_notifications.show_campaign", campaign_id=campaign_id)
    say(gettext("The draft is deleted."))
    return go("desk_notifications.list_campaigns")


@blp.post("/campaigns/<int:campaign_id>/<action>")
@admin_required
def move_campaign(campaign_id: int, action: str) -> AnyResponse:
    """Start, pause, resume or call off."""
    if action not in ACTIONS:
        raise NotFound
    try:
        with transaction():
            service.move_campaign(campaign_id, action)
    except REFUSALS as error:
        say(first_of(problems_of(error)), "bad")
    else:
        say(_done(action))
    return go("desk_notifications.show_campaign", campaign_id=campaign_id)


def _done(action: str) -> str:
    return {
        "start": gettext("It is being sent, after everything more urgent, and not at night."),
        "pause": gettext("Paused. What was being sent just now may still go out."),
        "resume": gettext("It goes on."),
        "cancel": gettext("Called off. Who has not got it never will."),
    }[action]


def _campaign_page(campaign: dict[str, Any], errors: Mapping[str, str]) -> Response:
    person = current_person()
    return render(
        "desk/campaigns/campaign.html",
        campaign=campaign,
        written=_try_to_write(campaign),
        own_address=(person.phone if campaign["channel"] == "sms" else person.email) or "",
        errors=errors,
        **_words(),
    )


def _try_to_write(campaign: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(write(campaign["channel"], campaign["texts"]))
    except GroceryError:  # a frame of the shop's own that does not work any more: the texts are shown without it
        return {}


def _form_page(campaign_id: int | None, values: Mapping[str, Any], errors: Mapping[str, str]) -> Response:
    return render("desk/campaigns/form.html", campaign_id=campaign_id, values=values, errors=errors, **_words())


def _recipient_words(channel: str) -> str:
    if channel == "sms":
        return gettext("Write the number of a mobile phone, such as 0712 345 678.")
    return gettext("Write an e-mail address, such as amina@example.com.")


def _words() -> dict[str, Any]:
    return {"channels": CHANNELS, "states": CAMPAIGN_STATES, "actions": CAMPAIGN_ACTIONS, "languages": NAMES}
