"""Answers the SMS that came in and dies while it does; run by test_answering.py."""

import os
import signal

from grocery.app import create_app
from grocery.db import db
from grocery.notify.hooks import InboundMessage, sms_received
from grocery.notify.inbound.service import answer_received

app = create_app()


def die(_sender: object, *, message: InboundMessage) -> None:
    db.session.execute(db.text("INSERT INTO suppressions VALUES ('sms', '+254', 'stop')"))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sms_received.connect(die)
    with app.app_context():
        answer_received()
