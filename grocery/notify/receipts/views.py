"""The addresses that Africa's Talking calls about messages. `/notify/sms/<secret>/` has more, in other parts."""

from typing import Any

from grocery.api import Blueprint
from grocery.db import transaction
from grocery.notify.hooks import marketing_chosen
from grocery.notify.receipts.forms import DeliveryReportSchema, OptOutSchema, callback
from grocery.notify.receipts.service import take_report
from grocery.notify.suppressions.service import suppress
from grocery.running import running_app

blp = Blueprint(
    "provider",
    __name__,
    url_prefix="/notify/sms/<secret>",
    description="Called by the SMS provider, Africa's Talking.",
)

_REPORT_EXAMPLE = {
    "id": "ATXid_7f1c2d3e4b5a69788796a5b4c3d2e1f0",
    "status": "Success",
    "phoneNumber": "+254712345678",
    "networkCode": "63902",
    "retryCount": "0",
}
_OPT_OUT_EXAMPLE = {"senderId": "MAMAFRESH", "phoneNumber": "+254712345678"}


@blp.route("/delivery", methods=["POST"])
@blp.response(200, description="Taken, or not to be sent again, as any form that cannot be read.")
@callback(DeliveryReportSchema, _REPORT_EXAMPLE)
def take_delivery_report(form: dict[str, Any]) -> None:
    """Take a delivery report

    What the network says became of an SMS. A report that is repeated or comes late changes nothing.
    """
    with transaction():
        take_report(form)


@blp.route("/opt-out", methods=["POST"])
@blp.response(200, description="Taken, or not to be sent again, as any form that cannot be read.")
@callback(OptOutSchema, _OPT_OUT_EXAMPLE)
def take_opt_out(form: dict[str, Any]) -> None:
    """Take an opt-out

    A phone that refused bulk SMS at the provider gets no SMS any more but those that it asks for.
    """
    phone = form["phone"]
    with transaction():
        # People's rows are locked before those of messages.
        marketing_chosen.send(running_app(), channel="sms", address=phone, is_wanted=False)
        suppress("sms", phone, "provider", form["sender"])
