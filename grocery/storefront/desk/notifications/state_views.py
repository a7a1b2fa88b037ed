"""Whether the ways to send work, what they cost today, and trying them."""

from flask import Response, current_app
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, current_person
from grocery.db import transaction
from grocery.notify.figures import read_figures
from grocery.notify.outcome import Outcome
from grocery.notify.trials import try_email, try_sms
from grocery.storefront.desk.forms import written
from grocery.storefront.desk.notifications.blueprint import blp
from grocery.storefront.desk.notifications.words import CHANNELS, PRIORITIES, STATES, error_words
from grocery.storefront.pages import go, render, say


@blp.get("/channels")
@admin_required
def show_channels() -> Response:
    figures, budget = read_figures(), current_app.config["SMS_DAILY_BUDGET"]
    return render(
        "desk/notifications/channels.html",
        figures=figures,
        budget=budget,
        used_percent=min(100, round(figures.spent * 100 / budget)) if budget else None,
        channels=CHANNELS,
        priorities=PRIORITIES,
        states=STATES,
        error_words=error_words,
    )


@blp.post("/channels/test")
@admin_required
def send_test() -> AnyResponse:
    """Send a message to oneself, at once, and say what the provider answered."""
    person, channel = current_person(), written("channel")
    address = {"sms": person.phone, "email": person.email}.get(channel)
    if address is None:
        say(gettext("Your account has no address for this. Add one under “Account”."), "bad")
        return go("desk_notifications.show_channels")
    # It costs money, so it is noted, before it is sent: nothing waits in a transaction for the provider.
    with transaction():
        pass
    result = try_sms(address) if channel == "sms" else try_email(address)
    if result.outcome is Outcome.SENT:
        say(gettext("The provider has taken a test message to %(address)s.", address=address))
    else:
        reason = error_words(result.error or "")
        say(gettext("It did not work. %(reason)s (%(error)s)", reason=reason, error=result.error), "bad")
    return go("desk_notifications.show_channels")
