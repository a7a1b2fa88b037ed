"""Walking through the menu: from where the last step has left it, or from the start by all that was keyed in.

What a walk of several keys passes may have changed since it was shown, or never was: so nothing is done at its end that
is not shown once more, unless Redis is away and nothing can be remembered.
"""

from dataclasses import dataclass, replace

from grocery.errors import GroceryError
from grocery.notify.hooks import UssdAnswer, UssdRequest
from grocery.orders.errors import TotalChangedError
from grocery.orders.ussd.acts import ACTS
from grocery.orders.ussd.layout import Page, Screen, Target, lay_out
from grocery.orders.ussd.phrases import PHRASES
from grocery.orders.ussd.place import Place
from grocery.orders.ussd.screens import SCREENS, SWITCH_LANGUAGE
from grocery.orders.ussd.visit import Visit


@dataclass(frozen=True)
class _Shown:
    """A place and what was shown there."""

    place: Place
    page: Page
    is_end: bool = False
    is_language_chosen: bool = False


@dataclass(frozen=True)
class Walk:
    """One step of a session. `visit` is in the language in which the step begins."""

    visit: Visit
    request: UssdRequest

    def answer(self) -> UssdAnswer:
        """Do what was keyed in since the last step, and show where that leads."""
        shown = self._begin()
        keys = self.request.inputs[shown.place.inputs :]
        is_seen = len(keys) == 1 and not self._is_replayed
        for position, key in enumerate(keys, start=1):
            if shown.is_end:
                break
            is_last = position == len(keys)
            may_act = is_last and (is_seen or not self.request.is_kept)
            shown = self._press(shown.place, key, is_last=is_last, may_act=may_act)
        state = replace(shown.place, inputs=len(self.request.inputs)).to_json()
        return UssdAnswer(shown.page.text, shown.is_end, state, shown.place.language, shown.is_language_chosen)

    @property
    def _is_replayed(self) -> bool:
        return not self.request.state

    def _begin(self) -> _Shown:
        if self._is_replayed:
            return self._show(Place(self.visit.phrases.language))
        place = Place.from_json(self.request.state)
        # Not shown once more, since at least one key follows.
        return _Shown(place, Page("", place.choices, place.following))

    def _press(self, place: Place, key: str, *, is_last: bool, may_act: bool) -> _Shown:
        turned = place.turn(key)
        if turned:
            return self._show(turned)
        target = place.choices.get(key)
        if target is None:
            return self._show(place, notice=PHRASES[place.language].wrong_choice)
        if target[0] == SWITCH_LANGUAGE:
            return self._switch_language(place, is_last=is_last)
        if target[0] not in ACTS:
            return self._show(place.enter(target))
        if not may_act:
            return self._show(place, notice=PHRASES[place.language].confirm_again)
        return self._act(place, target)

    def _switch_language(self, place: Place, *, is_last: bool) -> _Shown:
        # What was chosen in a step before this one is what the phone's language is, if that is known.
        if not is_last and self.request.language:
            return self._show(place)
        language = PHRASES[place.language].other_language
        return replace(self._show(replace(place, language=language).main_menu()), is_language_chosen=True)

    def _act(self, place: Place, target: Target) -> _Shown:
        name, *arguments = target
        visit = self._visit_in(place)
        try:
            with visit.session.begin_nested():
                screen = ACTS[name](visit, *arguments)
        except TotalChangedError:
            return self._show(place, notice=visit.phrases.total_changed)
        except GroceryError as error:
            screen = _refuse(visit, error)
        return self._lay_out(place, screen)

    def _show(self, place: Place, *, notice: str = "") -> _Shown:
        name, *arguments = place.screen
        visit = self._visit_in(place)
        try:
            screen = SCREENS[name](visit, *arguments)
        except GroceryError as error:
            screen = _refuse(visit, error)
        return self._lay_out(place, screen, notice)

    def _lay_out(self, place: Place, screen: Screen, notice: str = "") -> _Shown:
        phrases = PHRASES[place.language]
        page = lay_out(screen, phrases, depth=len(place.way), offset=place.offset, notice=notice)
        return _Shown(place.shows(page), page, screen.is_end)

    def _visit_in(self, place: Place) -> Visit:
        return replace(self.visit, phrases=PHRASES[place.language])


def _refuse(visit: Visit, error: GroceryError) -> Screen:
    """The end, with what is in the way: by the error's `code`, whose members the sentence may name."""
    sentence = visit.phrases.refusals.get(error.code, visit.phrases.refusal)
    return Screen(sentence.format_map(error.members), is_end=True)
