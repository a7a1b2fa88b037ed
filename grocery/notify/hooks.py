"""What higher packages may answer, inside the transaction that sends it. Connect receivers in `init_app`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blinker import Namespace

_signals = Namespace()


@dataclass(frozen=True)
class InboundMessage:
    """An SMS from `phone` (E.164).

    `words` are its text in capitals, without punctuation and words of politeness; there is at least one.
    """

    id: int
    phone: str
    words: Sequence[str]


@dataclass(frozen=True)
class Reply:
    """The answer to an SMS: the text of event `reply_…` for `audience` customer.

    `dedupe_key` may be the one of a message that tells the same by SMS anyway: then that one is the answer.
    """

    event: str
    context: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    dedupe_key: str | None = None
    customer_id: int | None = None
    order_id: int | None = None


@dataclass(frozen=True)
class UssdRequest:
    """One step of a USSD session: `inputs` is all that was keyed in so far, `state` what the last answer left.

    An empty state means that it is the first step or that the state was lost, and `is_kept` that the state of this
    step's answer can be remembered. `language` is what was chosen on this phone (E.164), today or weeks ago.
    """

    session_id: str
    phone: str
    inputs: Sequence[str]
    state: Mapping[str, Any]
    language: str | None = None
    is_kept: bool = True


@dataclass(frozen=True)
class UssdAnswer:
    """What the phone shows; `is_end` closes the session. `state`, as JSON can hold it, is for the next step.

    `language` is that of the text, for whatever else this session may have to be told; one that `is_language_chosen`
    in this step is remembered for the phone's next sessions.
    """

    text: str
    is_end: bool = False
    state: Mapping[str, Any] = field(default_factory=dict)
    language: str = "en"
    is_language_chosen: bool = False


sms_received = _signals.signal(
    "sms-received",
    """Sent for an SMS that is not one of this package's own commands. Arguments: `message`, an InboundMessage.

    A receiver answers a Reply, or None when it does not understand it; the first Reply is sent. What it raises is
    rolled back, and tried again later.

        @sms_received.connect
        def answer(_sender: object, *, message: InboundMessage) -> Reply | None: ...
    """,
)

ussd_dialled = _signals.signal(
    "ussd-dialled",
    """Sent for each step of a USSD session. Arguments: `request`, a UssdRequest. One receiver answers a UssdAnswer.""",
)

marketing_chosen = _signals.signal(
    "marketing-chosen",
    """Sent when the holder of an address says whether offers are wanted there.

    Arguments: `channel` ("sms" or "email"), `address`, `is_wanted`. A receiver changes all accounts with this address.
    """,
)
