"""One's name, language, and how messages come; and what this browser alone keeps."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_babel import force_locale, gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, customer_required
from grocery.auth.schemas import UpdateMeSchema
from grocery.auth.service import update_profile as update_person
from grocery.config import LANGUAGES
from grocery.db import transaction
from grocery.storefront.account.blueprint import blp
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse
from grocery.storefront.basket.wishes import LABELS, keep_usual_wish, known_wish, usual_wish
from grocery.storefront.data_use import keep_data_use, shows_pictures
from grocery.storefront.languages import NAMES, choose_language, set_language
from grocery.storefront.pages import go, render, say

_FIELDS = ("name", "language", "notify_by")
_CHOICES = ("marketing_sms", "marketing_email")


@blp.get("/account/profile")
@customer_required
def show_profile() -> Response:
    person = current_person()
    shown = {name: getattr(person, name) for name in (*_FIELDS, *_CHOICES)}
    return _page({**shown, "language": choose_language()}, {})


@blp.post("/account/profile")
@customer_required
def update_profile() -> AnyResponse:
    choices = {name: name in request.form for name in _CHOICES}
    try:
        changes = read_form(UpdateMeSchema(), "language", "notify_by", name=request.form.get("name", ""), **choices)
        with transaction():
            update_person(current_person().id, changes)
    except PROBLEMS as error:
        shown = {**{name: request.form.get(name, "") for name in _FIELDS}, **choices}
        return refuse(_page(shown, problems_of(error, "name", [*_FIELDS, *_CHOICES])), error)
    return _saved(changes.get("language") or choose_language())


@blp.post("/account/this-device")
@customer_required
def set_this_device() -> AnyResponse:
    """What is kept by this browser and by no other one of the same person."""
    say(gettext("Saved for this device."))
    response = keep_data_use(go("account.show_profile"), is_low="is_low" in request.form)
    wish = known_wish(request.form.get("if_unavailable"))
    return keep_usual_wish(response, wish) if wish else response


def _saved(language: str) -> AnyResponse:
    """The page again, in the language that was chosen."""
    with force_locale(language):
        say(gettext("Saved."))
    return set_language(go("account.show_profile"), language)


def _page(shown: Mapping[str, Any], errors: Mapping[str, str]) -> Response:
    return render(
        "account/profile.html",
        shown=shown,
        errors=errors,
        languages=[(code, NAMES[code]) for code in LANGUAGES],
        wishes=LABELS,
        usual_wish=usual_wish(),
        has_pictures=shows_pictures(),
    )
