"""The route that the provider's USSD gateway calls."""

from flask import Response, current_app, request

from grocery.api import Blueprint, public
from grocery.notify.receipts.secret import check_secret
from grocery.notify.ussd.service import answer_step

blp = Blueprint(
    "ussd", __name__, url_prefix="/notify/sms", description="The shop's menu on phones without data, by USSD."
)

_FORM = {
    "type": "object",
    "required": ["sessionId", "phoneNumber"],
    "properties": {
        "sessionId": {"type": "string", "maxLength": 100},
        "phoneNumber": {"type": "string", "description": "In E.164."},
        "networkCode": {"type": "string"},
        "serviceCode": {"type": "string", "description": "What was dialled."},
        "text": {
            "type": "string",
            "maxLength": 500,
            "description": "All that was keyed in since the session began, joined by stars.",
        },
    },
}
_EXAMPLE = {
    "sessionId": "ATUid_4fd3c8a1b2e9f0d7c6b5a49382716053",
    "phoneNumber": "+254712345678",
    "networkCode": "63902",
    "serviceCode": "*384*22384#",
    "text": "1*2",
}
_SCREEN = "CON G-7K3M9Q: on its way\nTotal KES 1,250\n2 Maize Flour\n0 Back 00 Menu"


@blp.route("/<secret>/ussd", methods=["POST"])
@public
@blp.problems(_404="The secret is wrong.", _413="The body is too large.")
@blp.doc(
    requestBody={
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": _FORM, "example": _EXAMPLE}},
    },
    responses={
        "200": {
            "description": "What the phone shows: after `CON` the session goes on, after `END` it is over, as for any "
            "form that cannot be read.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": _SCREEN}},
        }
    },
)
def answer_ussd(secret: str) -> Response:
    """Answer a step of a USSD session

    For Africa's Talking; `secret` is AT_CALLBACK_SECRET. Answers a screen whatever is sent and whatever fails, within
    5 seconds: a gateway shows nothing else. The same step sent again is not done twice.
    """
    check_secret(secret, current_app.config["AT_CALLBACK_SECRET"])
    return Response(answer_step(request.form), mimetype="text/plain")
