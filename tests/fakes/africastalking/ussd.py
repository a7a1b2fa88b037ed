"""A cheap phone that dials the shop's USSD code, and the gateway's rules between the two."""

from uuid import uuid4

from tests.fakes.africastalking.callbacks import Callbacks, Reply
from tests.fakes.africastalking.septets import septets
from tests.waiting import stopwatch

# 160 octets (https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/wwan/ns-wwan-_wwan_ussd_string) hold 182
# characters of 7 bits (the page of `UssdMessage.PayloadAsText` beside it says so, too).
SCREEN_SEPTETS = 182
# No limit of the provider's was found; this one is what the shop promises.
ANSWER_SECONDS = 5.0


class UssdPhone:
    """One phone; `screen` is what it shows, `is_open` whether it waits for a key, `patience` the seconds for an answer.

    `dial`, `press` and `repeat` return the screen and raise AssertionError for an answer that the gateway, the network
    or the phone would not stand.
    """

    def __init__(
        self,
        callbacks: Callbacks,
        number: str,
        service_code: str = "*384*22384#",
        patience: float = ANSWER_SECONDS,
    ) -> None:
        self.number = number
        self.service_code = service_code
        self.session_id = ""
        self.screen = ""
        self.is_open = False
        self._patience = patience
        self._callbacks = callbacks
        self._keys: list[str] = []

    def dial(self) -> str:
        """Begin a new session; an open one is left behind without a word, as a lost connection leaves it."""
        self.session_id = f"ATUid_{uuid4().hex}"
        self._keys = []
        return self.repeat()

    def press(self, key: str) -> str:
        """Answer the menu."""
        if not self.is_open:
            raise AssertionError("the session has ended, or was never begun")
        self._keys.append(key)
        return self.repeat()

    def repeat(self) -> str:
        """Send the last request once more; fault: a gateway that lost the first answer asks again."""
        with stopwatch() as watch:
            reply = self._callbacks.send("/ussd", self._form())
        self.is_open = False  # what does not pass below ends the session
        verb, self.screen = _read(reply)
        _check(watch.seconds <= self._patience, f"the menu took {watch.seconds:.1f} s", reply)
        self.is_open = verb == "CON"
        return self.screen

    def _form(self) -> dict[str, str]:
        # The fields in the order of a captured request: amitashanand/AfricaTalkSmsService, README.md. `text` is empty
        # at first, then holds all the answers of the session, joined by stars: DanNduati/at-ussd, AT-USSD.md.
        return {
            "phoneNumber": self.number,
            "serviceCode": self.service_code,
            "text": "*".join(self._keys),
            "sessionId": self.session_id,
            "networkCode": self._callbacks.network_code,
        }


def _read(reply: Reply) -> tuple[str, str]:
    # An HTTP error ends the session: DanNduati/at-ussd, AT-USSD.md.
    _check(reply.status == 200, f"HTTP {reply.status}", reply)
    # Logs of others show that text/html passes, too; plain text is what it is.
    plain = reply.content_type is None or reply.content_type.split(";")[0].strip() == "text/plain"
    _check(plain, f"the content type is {reply.content_type}", reply)
    # Not even a space may stand before the word: http://help.africastalking.com/en/articles/484351.
    verb, space, screen = reply.body.partition(" ")
    _check(verb in ("CON", "END") and space == " ", "an answer begins with CON or END and a space", reply)
    _check(screen.strip() != "", "the screen is empty", reply)
    size = septets(screen)
    # Networks cannot show other characters: DanNduati/at-ussd, AT-USSD.md.
    _check(size is not None, "a character is not in the 7-bit alphabet", reply)
    _check((size or 0) <= SCREEN_SEPTETS, f"{size} characters are more than {SCREEN_SEPTETS}", reply)
    return verb, screen


def _check(is_right: bool, complaint: str, reply: Reply) -> None:
    if not is_right:
        raise AssertionError(f"{complaint}: {reply.body!r}")
