"""A real browser that signs in as people do, opens pages, and keeps what it sees as small files."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from types import TracebackType

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from screenshots.pictures import DESKTOP, Picture
from screenshots.shop import Shop

#: No picture of the documentation is larger.
MAX_BYTES = 60_000

_QUALITIES = range(88, 30, -6)
# Without these it asks hosts of its maker for updates.
_QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
# Rows that only the script shows, and pictures that are loaded late.
_SETTLING_MS = 400


class CameraError(Exception):
    """No picture can be taken, or not this one; the message says why."""


def find_chromium() -> str:
    """The program's path; raises CameraError where it is not installed."""
    if path := shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"):
        return path
    raise CameraError("Chromium is not installed. On Debian: apt-get install chromium")


class Camera:
    """Use as a context manager. Each person signs in once."""

    def __init__(self, chromium: str, shop: Shop) -> None:
        self._chromium = chromium
        self._shop = shop
        self._stack = ExitStack()
        self._browser: Browser
        self._signed_in: dict[str, StorageState] = {}

    def __enter__(self) -> "Camera":
        playwright = self._stack.enter_context(sync_playwright())
        try:
            self._browser = playwright.chromium.launch(executable_path=self._chromium, args=_QUIET)
        except PlaywrightError as error:
            self._stack.close()
            raise CameraError(f"{self._chromium} does not start: {error.message}") from error
        self._stack.callback(self._browser.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def take(self, picture: Picture, places: dict[str, str], out: Path) -> int:
        """Save one picture; its size in bytes. Raises CameraError when the page is not well."""
        with self._page(picture, picture.path.format_map(places)) as page:
            page.wait_for_timeout(_SETTLING_MS)
            png = page.screenshot(animations="disabled")
        return _save(png, out / f"{picture.name}.webp")

    def find_link(self, who: str, path: str, selector: str) -> str:
        """Where a link of a page leads that this person sees."""
        with self._page(Picture("", path, DESKTOP, who), path) as page:
            return str(page.locator(selector).first.get_attribute("href"))

    def press(self, who: str, path: str, selector: str) -> None:
        """Press a button of a page that leads to another one, as this person."""
        with self._page(Picture("", path, DESKTOP, who), path) as page, page.expect_navigation():
            page.locator(selector).first.click()

    @contextmanager
    def _page(self, picture: Picture, path: str) -> Iterator[Page]:
        """The page, as who is in the picture sees it; raises CameraError when it or its script fails."""
        complaints: list[str] = []
        try:
            with self._context(picture) as context:
                page = context.new_page()
                page.on("pageerror", lambda error: complaints.append(str(error)))
                _open(page, path)
                yield page
        except PlaywrightError as error:
            raise CameraError(error.message) from error
        if complaints:
            raise CameraError(f"its script fails: {complaints[0]}")

    def _context(self, picture: Picture) -> BrowserContext:
        device = picture.device
        return self._browser.new_context(
            base_url=self._shop.url,
            viewport={"width": device.width, "height": device.height},
            device_scale_factor=device.scale,
            is_mobile=device.is_phone,
            has_touch=device.is_phone,
            color_scheme="dark" if picture.is_dark else "light",
            reduced_motion="reduce",
            locale=picture.language,
            service_workers="block",
            storage_state=self._sign_in(picture.who) if picture.who else None,
        )

    def _sign_in(self, who: str) -> StorageState:
        if who not in self._signed_in:
            with self._browser.new_context(base_url=self._shop.url) as context:
                page = context.new_page()
                page.goto("/sign-in/password")
                page.fill("[name=identifier]", who)
                page.fill("[name=password]", self._shop.passwords[who])
                page.click("main form button.main")
                page.wait_for_url(lambda address: "/sign-in" not in address)
                self._signed_in[who] = context.storage_state()
        return self._signed_in[who]


def _open(page: Page, path: str) -> None:
    answer = page.goto(path)
    if answer is None or answer.status != 200 or path.partition("?")[0] not in answer.url:
        raise CameraError(f"{path} answers {answer and answer.status} at {answer and answer.url}")


def _save(png: bytes, path: Path) -> int:
    """As good as fits into the limit."""
    with Image.open(BytesIO(png)) as image:
        for quality in _QUALITIES:
            encoded = BytesIO()
            image.save(encoded, "WEBP", quality=quality, method=6)
            if encoded.tell() <= MAX_BYTES:
                break
    return path.write_bytes(encoded.getvalue())
