"""The picking screen with a camera and a hand scanner: Chromium looks at a picture instead of through a lens."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.camera import ARGUMENTS, DETECTOR, ean13, show_to_camera
from tests.browser.conftest import chromium, sign_in
from tests.browser.page_checks import add_checks, find_faults, find_violations
from tests.orders.conftest import Caller, beef, customer, flour, soap, staff
from tests.orders.factories import place
from tests.storefront.conftest import Sql
from tests.waiting import wait_until

__all__ = ["beef", "customer", "flour", "soap", "staff"]

FLOUR, SOAP, BEEF, UNKNOWN = (
    ean13(digits) for digits in ("616110024001", "616110024002", "201234500000", "400638133393")
)

# What was typed before the scanner is aimed at something else does not belong to its code.
_TO_TAKE_THE_NEXT = 1100

# Keeps the tracks that pages get, and how they were when the page was left.
_NOTE_TRACKS = """
    window.tracks = [];
    const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
    if (ask) navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        window.tracks.push(...stream.getTracks());
        return stream;
    };
    addEventListener("visibilitychange", () => {
        sessionStorage.setItem("left", window.tracks.map((one) => one.readyState));
    });
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the camera looks at."""
    path = tmp_path_factory.mktemp("camera") / "seen.y4m"
    show_to_camera(path, None)
    return path


@pytest.fixture(scope="module")
def browser(seen: Path) -> Iterator[Browser]:
    with chromium(*(argument.format(path=seen) for argument in ARGUMENTS)) as browser:
        yield browser


@pytest.fixture
def order(customer: Caller, run_sql: Sql, soap: int, flour: int, beef: int) -> dict[str, Any]:
    """Two of flour, three of soap, a kilo of beef; all have barcodes."""
    for product, code in ((flour, FLOUR), (soap, SOAP), (beef, BEEF)):
        run_sql("UPDATE products SET barcode = :code WHERE id = :product", code=code, product=product)
    return place(customer, {flour: 2, soap: 3, beef: 1})


@pytest.fixture
def picker(
    browser: Browser, app: Flask, address: str, staff: Caller, order: dict[str, Any], seen: Path
) -> Iterator[Page]:
    """The picking screen on a phone that may use its camera and reads barcodes."""
    context = phone(browser)
    context.grant_permissions(["camera"])
    context.add_init_script(DETECTOR)
    show_to_camera(seen, None)
    yield open_screen(app, context, address, staff, order)
    context.close()


def phone(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, service_workers="block")
    context.add_init_script(_NOTE_TRACKS)
    return context


def open_screen(app: Flask, context: BrowserContext, address: str, staff: Caller, order: dict[str, Any]) -> Page:
    sign_in(app, context, address, staff.person)
    page = context.new_page()
    page.goto(f"{address}/admin/picking/{order['id']}")
    return page


def scan(page: Page) -> None:
    page.get_by_role("button", name="Scan", exact=True).click()


def wait_for_frames(page: Page, number: int = 1) -> None:
    """Until so many pictures of the camera were looked at."""
    page.wait_for_function("number => window.detections.length >= number", arg=number)


def tracks(page: Page) -> list[str]:
    """How the tracks are that the page has got of the camera, oldest first."""
    states: list[str] = page.evaluate("window.tracks.map((one) => one.readyState)")
    return states


def bag(run_sql: Sql) -> dict[str, Any]:
    """What is in the bag of each line, and why not all."""
    rows = run_sql("SELECT name, picked_quantity, short_reason FROM order_lines")
    return {name: (reason or int(picked)) if picked is not None else None for name, picked, reason in rows}


def said(page: Page) -> Locator:
    """What is shown, and read out."""
    return page.locator("#said[role=status]")


def type_like_a_scanner(page: Page, code: str) -> None:
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def test_what_the_camera_sees_is_found_once(picker: Page, seen: Path, run_sql: Sql) -> None:
    sent: list[str] = []
    picker.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    scan(picker)
    expect(picker.get_by_role("dialog", name="Scan a barcode")).to_be_visible()
    wait_for_frames(picker, 2)
    picker.keyboard.press("Escape")
    show_to_camera(seen, FLOUR)
    scan(picker)
    expect(said(picker)).to_have_text("Maize Flour: found.")
    expect(picker.locator("#pick-progress")).to_contain_text("1 of 3")
    expect(picker.locator("#scanner")).to_be_hidden()
    assert picker.evaluate("window.detections.filter(Boolean)") == [FLOUR]
    assert picker.evaluate("window.askedFormats") == ["ean_13"]
    assert tracks(picker) == ["ended", "ended"]
    wait_until(lambda: bag(run_sql)["Maize Flour"] == 2)  # the page says so before the shop has it
    # Whoever scans each pack of a line has it no more often for that, and what was short stays short.
    run_sql("UPDATE order_lines SET picked_quantity = 1, short_reason = 'damaged' WHERE name = 'Maize Flour'")
    scan(picker)
    expect(said(picker)).to_have_text("Maize Flour: in the bag already.")
    assert len(sent) == 1
    assert bag(run_sql) == {"Maize Flour": "damaged", "Soap": None, "Beef": None}


def test_what_is_weighed_is_brought_up_and_what_is_unknown_is_said(picker: Page, seen: Path, run_sql: Sql) -> None:
    show_to_camera(seen, UNKNOWN)
    scan(picker)
    expect(said(picker)).to_have_text(f"{UNKNOWN}: not in this order.")
    expect(picker.get_by_role("button", name="Scan", exact=True)).to_be_focused()
    show_to_camera(seen, BEEF)
    scan(picker)
    expect(said(picker)).to_have_text("Beef: weigh it.")
    expect(picker.get_by_label("What the scale says")).to_be_focused()
    assert bag(run_sql) == {"Maize Flour": None, "Soap": None, "Beef": None}


def test_of_two_lines_of_a_product_the_open_one_is_found(picker: Page, seen: Path, run_sql: Sql) -> None:
    """A UPC has twelve digits; cameras read it as an EAN-13 that begins with 0."""
    code = ean13("001234567890")
    run_sql("UPDATE products SET barcode = :code WHERE name = 'Soap'", code=code[1:])
    run_sql("UPDATE order_lines SET product_id = (SELECT id FROM products WHERE name = 'Soap') WHERE name != 'Beef'")
    picker.reload()
    show_to_camera(seen, code)
    for name in ("Maize Flour", "Soap"):
        scan(picker)
        expect(said(picker)).to_have_text(f"{name}: found.")
    expect(picker.locator("#pick-progress")).to_contain_text("2 of 3")
    wait_until(lambda: bag(run_sql) == {"Maize Flour": 2, "Soap": 3, "Beef": None})


def test_camera_that_is_refused_leaves_the_number_to_be_typed(picker: Page, seen: Path, run_sql: Sql) -> None:
    """Chromium ends the camera itself when its permission is taken back."""
    state = picker.locator("#scanner [role=status]")
    scan(picker)
    wait_for_frames(picker)
    picker.context.clear_permissions()
    expect(state).to_contain_text("The camera has stopped.")
    expect(picker.locator("#scanner video")).to_be_hidden()
    assert tracks(picker) == ["ended"]
    picker.get_by_role("button", name="Close").click()
    scan(picker)
    expect(state).to_contain_text("The camera is not allowed.")
    picker.get_by_label("Or type its number").fill("123")
    picker.get_by_role("button", name="Find", exact=True).click()
    expect(picker.locator("#scanner")).to_be_visible()
    # All that is in the field counts, not just the digits that were typed last.
    picker.get_by_label("Or type its number").fill(SOAP[:1])
    picker.keyboard.press("End")
    picker.keyboard.type(SOAP[1:])
    picker.keyboard.press("Enter")
    expect(said(picker)).to_have_text("Soap: found.")
    picker.context.grant_permissions(["camera"])
    show_to_camera(seen, FLOUR)
    scan(picker)
    expect(said(picker)).to_have_text("Maize Flour: found.")
    expect(picker.locator("#pick-progress")).to_contain_text("2 of 3")


def test_camera_is_off_when_the_dialog_is_closed_or_the_page_left(picker: Page) -> None:
    scan(picker)
    wait_for_frames(picker)
    assert tracks(picker) == ["live"]
    picker.keyboard.press("Escape")
    assert picker.evaluate("document.activeElement.id") == "scan"
    picker.wait_for_function("() => window.tracks[0].readyState === 'ended'")
    # Closed before the camera has come: it is turned off when it does.
    picker.evaluate("document.getElementById('scan').click(); document.querySelector('[data-close]').click()")
    picker.wait_for_function("() => window.tracks.length === 2 && window.tracks[1].readyState === 'ended'")
    scan(picker)
    picker.wait_for_function("() => window.tracks.length === 3")
    wait_for_frames(picker, picker.evaluate("window.detections.length + 1"))
    picker.goto(picker.url.replace("picking", "orders"))
    assert picker.evaluate("sessionStorage.left") == "ended,ended,ended"
    # This page has nothing to scan, so that nothing in it can turn the camera on.
    refusal = "navigator.mediaDevices.getUserMedia({ video: true }).catch((error) => error.name)"
    assert picker.evaluate(refusal) == "NotAllowedError"


def test_scanner_is_for_all(picker: Page, seen: Path) -> None:
    """By keyboard, on the smallest phone, by day and by night, with a light where the camera has one."""
    picker.context.add_init_script("""
        MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true });
        MediaStreamTrack.prototype.applyConstraints = async (wanted) => { window.light = wanted.advanced[0].torch; };
    """)
    add_checks(picker.context)
    picker.emulate_media(reduced_motion="reduce")
    picker.set_viewport_size({"width": 320, "height": 568})
    picker.reload()
    picker.get_by_role("button", name="Scan", exact=True).focus()
    picker.keyboard.press("Enter")
    wait_for_frames(picker)
    assert find_faults(picker) == []
    assert find_violations(picker) == []
    picker.emulate_media(color_scheme="dark")
    assert find_violations(picker, "color-contrast") == []
    light = picker.get_by_role("button", name="Light")
    light.focus()
    for state in ("true", "false"):
        picker.keyboard.press("Enter")
        expect(light).to_have_attribute("aria-pressed", state)
        assert picker.evaluate("window.light") is (state == "true")
    picker.keyboard.press("Tab")
    expect(picker.get_by_role("button", name="Close")).to_be_focused()
    picker.keyboard.press("Enter")
    expect(picker.locator("#scanner")).to_be_hidden()


def test_hand_scanner_is_heard_wherever_the_focus_is(
    browser: Browser, app: Flask, address: str, staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    """In a browser that reads no barcodes, which offers no camera."""
    context = phone(browser)
    page = open_screen(app, context, address, staff, order)
    type_like_a_scanner(page, FLOUR)
    expect(said(page)).to_have_text("Maize Flour: found.")
    expect(page.get_by_role("button", name="Scan", exact=True)).to_have_count(0)
    # On a button that has the focus, its Enter presses nothing.
    page.get_by_role("button", name="Found", exact=True).focus()
    type_like_a_scanner(page, UNKNOWN)
    expect(said(page)).to_have_text(f"{UNKNOWN}: not in this order.")
    type_like_a_scanner(page, BEEF)
    weight = page.get_by_label("What the scale says")
    expect(weight).to_be_focused()
    page.keyboard.type("0.9")
    page.wait_for_timeout(_TO_TAKE_THE_NEXT)
    type_like_a_scanner(page, SOAP)
    expect(said(page)).to_have_text("Soap: found.")
    expect(page.locator("#pick-progress")).to_contain_text("2 of 3")
    expect(weight).to_have_value("")
    wait_until(lambda: bag(run_sql) == {"Maize Flour": 2, "Soap": 3, "Beef": None})
    context.close()


@pytest.mark.parametrize("place", ["replace", "products"])
def test_scanned_barcodes_search_the_products(
    picker: Page, seen: Path, address: str, order: dict[str, Any], place: str
) -> None:
    show_to_camera(seen, SOAP)
    line_id = order["items"][0]["id"]
    paths = {"products": "/admin/products", "replace": f"/admin/picking/{order['id']}/lines/{line_id}/replace"}
    picker.goto(address + paths[place])
    scan(picker)
    expect(picker).to_have_url(re.compile(f"[?&]q={SOAP}"))
    expect(picker.get_by_role("main").get_by_role("listitem").filter(has_text="Soap")).to_have_count(1)
    expect(picker.get_by_role("main")).not_to_contain_text("Beef")
