"""What a page costs: requests and bytes as they come over the wire, by kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page


@dataclass
class Wire:
    """Bytes, with their headers, by request; what the browser had already costs none."""

    kinds: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def note_answer(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = event["type"]
        self.addresses[event["requestId"]] = event["response"]["url"]

    def note_end(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = event["encodedDataLength"]

    def size(self, *kinds: str) -> int:
        """Bytes of these kinds ("Document", "Stylesheet", "Script", "Image"), or of all."""
        return sum(size for request, size in self.sizes.items() if not kinds or self.kinds.get(request) in kinds)

    @property
    def requests(self) -> int:
        """Those that went to the server."""
        return sum(size > 0 for size in self.sizes.values())

    def __str__(self) -> str:
        lines = (f"{size:7} {self.kinds.get(one)} {self.addresses.get(one)}" for one, size in self.sizes.items())
        return "\n".join(lines)


#: 400 kbit/s and 400 ms for each round trip.
SLOW_NETWORK = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


def slow_down(page: Page, slower_cpu: int = 1) -> None:
    """Give a page a slow network, and a processor that is so many times slower."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower_cpu})


@contextmanager
def on_wire(page: Page) -> Iterator[Wire]:
    """What this page loads meanwhile."""
    wire = Wire()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.responseReceived", wire.note_answer)
    session.on("Network.loadingFinished", wire.note_end)
    yield wire
    session.detach()
