"""One step of a USSD session: whatever is sent and whatever fails, the phone gets a screen, in less than 5 seconds."""

import logging
from collections.abc import Mapping

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import transaction
from grocery.errors import InvalidError
from grocery.notify.hooks import UssdAnswer, UssdRequest, ussd_dialled
from grocery.notify.receipts.oddities import oddities
from grocery.notify.ussd.forms import Step, read_step
from grocery.notify.ussd.screen import cut, plain
from grocery.notify.ussd.store import Memory, Shown, session_store
from grocery.running import running_app

log = logging.getLogger(__name__)

APOLOGIES = {
    "en": "Sorry, something went wrong on our side. Please dial again in a moment.",
    "sw": "Samahani, kuna hitilafu upande wetu. Tafadhali piga tena baada ya muda mfupi.",
}
REFUSALS = {
    "en": "Sorry, this request cannot be answered. Please dial again.",
    "sw": "Samahani, ombi hili haliwezi kujibiwa. Tafadhali piga tena.",
}

#: What a statement may take, and all of a step together. Of the 5 seconds, Redis may take one. A statement that waits
#: for a lock ends here even where a longer wait for locks is set for it.
STATEMENT_MS, STEP_MS = 2500, 3500

_LIMIT_STATEMENTS = "set_config('statement_timeout', :statement, true), set_config('lock_timeout', :statement, true)"
_LIMITS = text(f"SELECT {_LIMIT_STATEMENTS}")
_LIMITS_OF_17 = text(f"SELECT {_LIMIT_STATEMENTS}, set_config('transaction_timeout', :step, true)")
# Older ones cannot bound all statements together.
_KNOWS_TRANSACTION_TIMEOUT = (17,)


def answer_step(form: Mapping[str, str]) -> str:
    """The answer to a form of the gateway: "CON …", or "END …" where the session is over.

    Stands at the edge, since the answer of a failed commit has to be a screen, too. The same step sent again is
    answered as it was before.
    """
    config = current_app.config
    try:
        step = read_step(form, config["DEFAULT_COUNTRY"])
    except InvalidError as error:
        oddities().note("bad USSD form", error.detail)
        return f"END {REFUSALS[config['SHOP_LANGUAGE']]}"
    memory = session_store().recall(step)
    if memory.shown and memory.shown.text == step.text:
        return memory.shown.answer
    try:
        return _take_step(step, memory)
    except Exception:
        log.exception("a step of the USSD session %s failed", step.session_id)
        language = memory.shown.language if memory.shown else memory.language or config["SHOP_LANGUAGE"]
        return f"END {APOLOGIES[language]}"


def _take_step(step: Step, memory: Memory) -> str:
    state = memory.shown.state if memory.shown and step.text.startswith(_begun(memory.shown)) else {}
    request = UssdRequest(step.session_id, step.phone, step.inputs, state, memory.language, memory.is_kept)
    with transaction() as session:
        _limit_time(session)
        answer = _ask_menu(request)
    shown = Shown(step.text, _write(answer, step), answer.language, answer.state)
    if memory.is_kept:
        session_store().keep(step, shown, is_language_chosen=answer.is_language_chosen)
    return shown.answer


def _begun(shown: Shown) -> str:
    """How the text goes on after that step."""
    return f"{shown.text}*" if shown.text else ""


def _limit_time(session: Session) -> None:
    version = session.connection().dialect.server_version_info or ()
    limits = _LIMITS_OF_17 if version >= _KNOWS_TRANSACTION_TIMEOUT else _LIMITS
    session.execute(limits, {"statement": str(STATEMENT_MS), "step": str(STEP_MS)})


def _ask_menu(request: UssdRequest) -> UssdAnswer:
    [(_, answer)] = ussd_dialled.send(running_app(), request=request)
    menu: UssdAnswer = answer
    return menu


def _write(answer: UssdAnswer, step: Step) -> str:
    whole = plain(answer.text)
    screen = cut(whole)
    if screen != whole:
        log.warning("a screen of the USSD session %s was too long and has been cut", step.session_id)
    return f"{'END' if answer.is_end else 'CON'} {screen}"
