"""Africa's Talking on loopback: takes texts as the provider does, calls the shop back, and misbehaves when told to.

Sources, named beside each behaviour:

- "docs": https://developers.africastalking.com/docs/sms/sending; "notifications": its neighbour `…/sms/notifications`,
  of which an older edition stands at http://docs.africastalking.com/sms/notifications (read in others' copies);
- "recorded": real answers of 2023 in SamuelMwangiW/africastalking-laravel, `tests/Fixtures/Saloon/messaging/bulk`;
- issues of the client libraries in AfricasTalkingLtd, such as africastalking-node.js #143, and other people's logs;
- "seen": what the SDK 2.0.3 was seen to need or do; "fault": what any HTTP service does on a bad day.

No source was found, so these are guesses on the strict side: what an empty `to` or `message` meets (here 400), a
number with spaces (here code 403; the SDKs join numbers with a bare comma), in which order key and fields are checked,
whether a text can be too long (here it only costs more), how parts of a text are counted exactly (here as TS 23.040
has it), how soon and how often an unanswered callback is repeated within its ten minutes, the zone of an incoming
text's `date`, how long the gateway waits for a USSD menu, and whether the networks count its CON or END. That reports
come twice, late, out of order or before the answer is nowhere promised nor excluded; tests must survive all of it.
"""

from tests.fakes.africastalking.answers import STATUS_NAMES, Answer, Fault
from tests.fakes.africastalking.callbacks import Call, Callbacks, Reply, post_by_http, through
from tests.fakes.africastalking.reporting import Report
from tests.fakes.africastalking.server import API_KEY, FakeAfricasTalking
from tests.fakes.africastalking.ussd import UssdPhone

__all__ = [
    "API_KEY",
    "STATUS_NAMES",
    "Answer",
    "Call",
    "Callbacks",
    "FakeAfricasTalking",
    "Fault",
    "Reply",
    "Report",
    "UssdPhone",
    "post_by_http",
    "through",
]
