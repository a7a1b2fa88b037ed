"""Which pictures there are: whose page, on which device, in which look and language."""

from dataclasses import dataclass

AMINA = "amina@example.com"
ADMIN = "admin@example.com"
STAFF = "staff@example.com"


@dataclass(frozen=True)
class Device:
    """A screen: its size in CSS pixels, and how many real ones each of them has in the picture."""

    width: int
    height: int
    scale: float
    is_phone: bool


PHONE = Device(390, 844, 1.5, is_phone=True)
DESKTOP = Device(1280, 800, 1, is_phone=False)


@dataclass(frozen=True)
class Picture:
    """One picture. ``path``: an address of the shop, with names of the scene's places in braces. ``who``: an e-mail."""

    name: str
    path: str
    device: Device = PHONE
    who: str | None = None
    is_dark: bool = False
    language: str = "en"


PICTURES = (
    Picture("home-phone", "/", who=AMINA),
    Picture("home-desktop", "/", DESKTOP),
    Picture("home-phone-sw", "/", language="sw"),
    Picture("category-phone", "{category}", who=AMINA),
    Picture("category-desktop", "{category}", DESKTOP, who=AMINA),
    Picture("search-phone", "/search?q=maziwa"),
    Picture("filter-phone", "/search/filter?q=maziwa"),
    Picture("product-phone", "{product}", who=AMINA),
    Picture("product-desktop-dark", "{product}", DESKTOP, is_dark=True),
    Picture("basket-phone", "/basket", who=AMINA),
    Picture("checkout-phone", "/checkout", who=AMINA),
    Picture("checkout-desktop", "/checkout", DESKTOP, who=AMINA),
    Picture("confirmation-phone", "/checkout/done/{placed}", who=AMINA),
    Picture("order-phone", "/account/orders/{shipped}", who=AMINA),
    Picture("tracking-phone-dark", "{tracking}", is_dark=True),
    Picture("desk-dashboard", "/admin/", DESKTOP, who=ADMIN),
    Picture("desk-board", "/admin/orders", DESKTOP, who=STAFF),
    Picture("desk-picking", "/admin/picking/{picking}", who=STAFF),
    Picture("desk-products", "/admin/products", DESKTOP, who=ADMIN),
    Picture("desk-notifications", "/admin/notifications", DESKTOP, who=ADMIN),
)
