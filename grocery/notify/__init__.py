"""Telling people: the outbox, its texts, and the clients that send SMS and e-mail."""

from collections.abc import Callable

from flask import Flask

from grocery.api import View, register_blueprint
from grocery.errors import ForbiddenError
from grocery.metrics import metrics_asked
from grocery.notify import campaigns, cli, feedback, inbound, receipts, suppressions, ussd, wording
from grocery.notify.campaigns import models as campaign_models
from grocery.notify.extension import FindSubscribers, Holder, NotifyState, Subscriber, build_backends
from grocery.notify.figures import metric_families
from grocery.notify.group import notify
from grocery.notify.inbound import models as inbound_models
from grocery.notify.jobs import periodic_tasks
from grocery.notify.receipts import models as receipt_models
from grocery.notify.sending import models as sending_models
from grocery.notify.suppressions import models as suppression_models
from grocery.notify.views import blp
from grocery.notify.wording import models as wording_models
from grocery.notify.wording.cli import preview, texts
from grocery.queues import periodic_task

__all__ = [
    "campaign_models",
    "cli",
    "inbound_models",
    "init_app",
    "receipt_models",
    "sending_models",
    "suppression_models",
    "wording_models",
]


def _no_admins() -> list[str]:
    return []


def _no_subscribers(_channel: str, _after_id: int, _limit: int) -> list[Subscriber]:
    return []


def _count_none(_channel: str) -> int:
    return 0


def _no_holder(_phone: str) -> Holder | None:
    return None


def _no_person() -> int | None:
    return None


def _nobody(_view: View) -> View:
    def refuse() -> None:
        raise ForbiddenError("Only admins may do this.")

    return refuse


def init_app(
    app: Flask,
    *,
    find_admin_emails: Callable[[], list[str]] = _no_admins,
    find_subscribers: FindSubscribers = _no_subscribers,
    count_subscribers: Callable[[str], int] = _count_none,
    find_holder: Callable[[str], Holder | None] = _no_holder,
    current_person_id: Callable[[], int | None] = _no_person,
    admin_required: Callable[[View], View] = _nobody,
) -> None:
    """Bind the package.

    `find_admin_emails` answers the admins' addresses when ADMIN_EMAILS is not set; `find_subscribers` and
    `count_subscribers` tell who wants to hear of offers, `find_holder` whose phone a number is; `admin_required` is the
    decorator of views that only admins may call, and `current_person_id` says who called one. All come from above,
    where people are known. Raises ConfigError for settings that could never send.
    """
    app.extensions["notify"] = NotifyState(
        build_backends(app.extensions["settings"]),
        find_admin_emails,
        find_subscribers,
        count_subscribers,
        check_admin=admin_required(lambda: None),
        find_holder=find_holder,
        current_person_id=current_person_id,
    )
    for part in (wording, receipts, suppressions, inbound, ussd, campaigns, feedback):
        part.init_app(app)
    register_blueprint(app, blp)
    notify.add_command(preview)
    notify.add_command(texts)
    app.cli.add_command(notify)
    periodic_task.connect(periodic_tasks)
    metrics_asked.connect(metric_families)
