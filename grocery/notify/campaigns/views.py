"""The routes of /campaigns."""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, url_for
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint, View
from grocery.db import Row, transaction
from grocery.notify.access import admin_only
from grocery.notify.campaigns import examples, reading, service
from grocery.notify.campaigns.schemas import (
    CampaignArgsSchema,
    CampaignSchema,
    SendTestSchema,
    WriteCampaignSchema,
)
from grocery.notify.extension import state
from grocery.notify.schemas import NOTIFICATION_EXAMPLE, NotificationSchema
from grocery.paging import NEXT_LINK, add_next_link, cut_page, decode_id, encode_cursor

blp = Blueprint(
    "campaigns", __name__, url_prefix="/campaigns", description="One text to all customers who want to hear of offers."
)

_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where the campaign is."}}
_NO_URL = "By e-mail, and the shop has no SHOP_URL to unsubscribe at: `shop_url_needed`."
_NOT_DRAFT = "It was started: `not_draft`."
_UNFIT = "A field is not valid, or the `texts` cannot go out like this."
_ILLEGAL = "Not in this state: `illegal_transition`, with the `allowed` actions."


@blp.route("/")
@admin_only
@blp.problems(_422="A filter, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(CampaignArgsSchema, location="query")
@blp.response(
    200,
    CampaignSchema(many=True),
    description="A page, newest first.",
    headers=NEXT_LINK,
    example=[examples.RUNNING],
)
def list_campaigns(arguments: dict[str, Any]) -> Response:
    """List campaigns, with how far they are"""
    cursor, limit = arguments.pop("cursor"), arguments.pop("limit")
    before_id = decode_id(cursor)
    found = reading.list_campaigns(**arguments, before_id=before_id, limit=limit + 1)
    page, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row["id"]))
    return add_next_link(jsonify(page), next_cursor)


@blp.route("/", methods=["POST"])
@admin_only
@blp.problems(_409=_NO_URL)
@blp.problems(_422=_UNFIT)
@blp.arguments(WriteCampaignSchema, example=examples.WANTED)
@blp.response(201, CampaignSchema, description="The draft.", headers=_LOCATION, example=examples.DRAFT)
def create_campaign(body: dict[str, Any]) -> ResponseReturnValue:
    """Write a campaign

    A draft: nothing is sent before it is started. It goes to the customers who have said that they want offers by this
    channel, in their language if it has a text in it, else in the shop's own. The shop's name and how to have no more
    offers are added to each message, and count for its length.
    """
    with transaction():
        campaign_id = service.create_campaign(body, state().current_person_id())
    location = url_for("campaigns.get_campaign", campaign_id=campaign_id)
    return reading.get_campaign(campaign_id), 201, {"Location": location}


@blp.route("/<int:campaign_id>")
@admin_only
@blp.response(200, CampaignSchema, description="The campaign.", example=examples.RUNNING)
def get_campaign(campaign_id: int) -> dict[str, Any]:
    """Read a campaign, with how far it is

    Its messages are at `GET /notifications/?campaign_id=…`.
    """
    return reading.get_campaign(campaign_id)


@blp.route("/<int:campaign_id>", methods=["PUT"])
@admin_only
@blp.found_first(reading.check_campaign_exists)
@blp.problems(_409=f"{_NOT_DRAFT} {_NO_URL}")
@blp.problems(_422=_UNFIT)
@blp.arguments(WriteCampaignSchema, example=examples.WANTED)
@blp.response(200, CampaignSchema, description="The draft as it is now.", example=examples.DRAFT)
def replace_campaign(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Replace a draft"""
    with transaction():
        service.replace_campaign(campaign_id, body)
    return reading.get_campaign(campaign_id)


@blp.route("/<int:campaign_id>", methods=["DELETE"])
@admin_only
@blp.problems(_409=_NOT_DRAFT)
@blp.response(204, description="It is gone.")
def delete_campaign(campaign_id: int) -> None:
    """Delete a draft"""
    with transaction():
        service.delete_campaign(campaign_id)


@blp.route("/<int:campaign_id>/test", methods=["POST"])
@admin_only
@blp.found_first(reading.check_campaign_exists)
@blp.problems(_409=_NO_URL)
@blp.problems(_422="A field is not valid: `recipient` is no address of the channel, or `language` has no text.")
@blp.arguments(SendTestSchema, example=examples.TEST)
@blp.response(
    202,
    NotificationSchema,
    description="The message, waiting to be sent.",
    example={
        **NOTIFICATION_EXAMPLE,
        "event": "campaign",
        "body": "Mama Fresh: Ofa za Jamhuri: sukari kilo 2 kwa 299, hadi Jumamosi. ACHA OFA kujitoa.",
        "language": "sw",
        "status": "pending",
        "attempts": 0,
        "provider_id": None,
        "cost": None,
        "order_id": None,
        "sent_at": None,
    },
)
def test_campaign(body: dict[str, Any], campaign_id: int) -> Row:
    """Send one message of a campaign to see what it looks like

    At once, also at night and to an address that gets no offers. It is not counted in the campaign, and its e-mail has
    no link to unsubscribe in the mail program.
    """
    with transaction():
        return service.send_test(campaign_id, **body)


def _move_route(action: str, example: dict[str, Any], **problems: str) -> Callable[[View], View]:
    """A route of a move: each asks for nothing, may be illegal, and answers the campaign in its new state."""

    def decorator(view: View) -> View:
        answer = f"The campaign, {example['status']}."
        view = blp.response(200, CampaignSchema, description=answer, example=example)(view)
        view = blp.problems(**{"_409": _ILLEGAL, **problems})(view)
        routed: View = blp.route(f"/<int:campaign_id>/{action}", methods=["POST"])(admin_only(view))
        return routed

    return decorator


@_move_route(
    "start",
    examples.RUNNING,
    _409=f"{_ILLEGAL} {_NO_URL}",
    _422="The texts do not fit any more; the shop's name is part of them.",
)
def start_campaign(campaign_id: int) -> dict[str, Any]:
    """Start a campaign

    Its messages are written bit by bit and sent after everything more urgent; none at night (QUIET_HOURS). Each
    address gets one, whatever fails and is tried again. It is finished when the last one was sent.
    """
    return _move(campaign_id, "start")


@_move_route("pause", examples.PAUSED)
def pause_campaign(campaign_id: int) -> dict[str, Any]:
    """Pause a campaign

    What waits to be sent is held. The few messages that are being sent just now still go out.
    """
    return _move(campaign_id, "pause")


@_move_route("resume", examples.RUNNING)
def resume_campaign(campaign_id: int) -> dict[str, Any]:
    """Go on with a paused campaign"""
    return _move(campaign_id, "resume")


@_move_route("cancel", examples.CANCELLED)
def cancel_campaign(campaign_id: int) -> dict[str, Any]:
    """Call a campaign off

    What waits to be sent is deleted. Those who have not got it never will.
    """
    return _move(campaign_id, "cancel")


def _move(campaign_id: int, action: str) -> dict[str, Any]:
    with transaction():
        service.move_campaign(campaign_id, action)
    return reading.get_campaign(campaign_id)
