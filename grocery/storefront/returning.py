"""The page to come back to, after something was done or a sign-in: only ever one of this shop."""

from urllib.parse import urlsplit

from flask import current_app, request, url_for

#: Where a form says which page to come back to.
RETURN_FIELD = "return_to"

# Proxies take no longer headers, and it goes into one.
_LONGEST = 2000


def return_address() -> str | None:
    """The page of this shop that form or address name, to come back to; None for other sites' and without one."""
    named = request.form.get(RETURN_FIELD) or request.args.get(RETURN_FIELD, "")
    return named if is_own_address(named) else None


def page_of_form() -> str:
    """The page on which the form of this request stands, as far as it can be known; else that of one's account."""
    address = return_address()
    if address is None and _is_page(request.path):
        address = request.path
    return address or _address_of_referrer() or url_for("account.show")


def is_own_address(address: str) -> bool:
    """Whether it is a path of this shop, for browsers too, which read `//host` and `\\` in their own way."""
    if not address.startswith("/") or address.startswith("//") or "\\" in address or not address.isprintable():
        return False
    try:
        return len(address) <= _LONGEST and not urlsplit(address).netloc
    except ValueError:
        return False


def _address_of_referrer() -> str | None:
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return None
    address = f"{parts.path}?{parts.query}" if parts.query else parts.path
    is_ours = parts.netloc == request.host and is_own_address(address)
    return address if is_ours and _is_page(parts.path) else None


def _is_page(path: str) -> bool:
    """Whether there is something to see, and not only something to do."""
    return current_app.url_map.bind("").test(path, "GET")
