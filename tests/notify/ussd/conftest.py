"""A menu that is scripted, in place of the shop's."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from grocery.notify.hooks import UssdAnswer, UssdRequest, ussd_dialled
from grocery.notify.ussd import service
from grocery.orders.ussd.menu import answer_ussd


class ScriptedMenu:
    """Answers with `script`, and keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[UssdRequest] = []
        self.script: Callable[[UssdRequest], UssdAnswer] = lambda request: UssdAnswer(
            f"You keyed in {list(request.inputs)}", state={"steps": request.state.get("steps", 0) + 1}
        )

    def answer(self, _sender: object, *, request: UssdRequest) -> UssdAnswer:
        self.requests.append(request)
        return self.script(request)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the time for each step, so that its end need not be waited for so long."""
    monkeypatch.setattr(service, "STATEMENT_MS", service.STATEMENT_MS // 10)
    monkeypatch.setattr(service, "STEP_MS", service.STEP_MS // 10)


@pytest.fixture
def menu(app: Flask) -> Iterator[ScriptedMenu]:
    scripted = ScriptedMenu()
    ussd_dialled.disconnect(answer_ussd)
    ussd_dialled.connect(scripted.answer)
    yield scripted
    ussd_dialled.disconnect(scripted.answer)
    ussd_dialled.connect(answer_ussd)
