"""The people of the demo shop and what they have ordered."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal


@dataclass(frozen=True)
class DemoPerson:
    name: str
    email: str
    role: str = "customer"
    phone: str | None = None


@dataclass(frozen=True)
class DemoOrder:
    """An order: quantities (pieces or kilograms) by SKU, how far it got and in what time, how long ago it was made."""

    email: str
    items: dict[str, Decimal]
    status: str
    age: timedelta
    took: timedelta = timedelta()
    landmark: str | None = None
    note: str | None = None


ADMIN = DemoPerson("Grace Wambui", "admin@example.com", "admin")
STAFF = DemoPerson("Peter Mutua", "staff@example.com", "staff")
CUSTOMERS = (
    DemoPerson("Amina Otieno", "amina@example.com", phone="+254712345678"),
    DemoPerson("Brian Kiprop", "brian@example.com", phone="+254733123456"),
    DemoPerson("Wanjiku Kamau", "wanjiku@example.com", phone="+254110234567"),
)
PEOPLE = (ADMIN, STAFF, *CUSTOMERS)


def amounts(**quantities: str) -> dict[str, Decimal]:
    """Quantities by SKU, whose hyphens are written as underscores."""
    return {sku.replace("_", "-"): Decimal(quantity) for sku, quantity in quantities.items()}


ORDERS = (
    DemoOrder(
        "brian@example.com",
        amounts(PER_SOAP_175="3", HOU_TISSUE_10="1"),
        "cancelled",
        age=timedelta(days=2),
        took=timedelta(minutes=20),
    ),
    DemoOrder(
        "amina@example.com",
        amounts(FLR_MAIZE_2KG="2", VEG_SUKUMA="0.5", VEG_TOMATO="1", DAI_MILK_500="4"),
        "delivered",
        age=timedelta(hours=7),
        took=timedelta(hours=6, minutes=30),
        landmark="near Shell, blue gate",
    ),
    DemoOrder(
        "amina@example.com",
        amounts(RIC_PISHORI_5KG="1", OIL_VEG_1L="2"),
        "shipped",
        age=timedelta(hours=5),
        took=timedelta(hours=4),
        landmark="near Shell, blue gate",
    ),
    DemoOrder(
        "brian@example.com",
        amounts(MEA_BEEF_BONE="1.5", VEG_POTATO="3", SPI_PILAU_50="1", BEV_SODA_COLA_500="6"),
        "packed",
        age=timedelta(hours=3),
        took=timedelta(hours=2),
        landmark="opposite Kenyatta Market, second floor",
    ),
    DemoOrder(
        "wanjiku@example.com",
        amounts(BAK_BREAD_BROWN_400="2", DAI_EGGS_30="1", TEA_LEAVES_250="1", SUG_WHITE_1KG="2"),
        "confirmed",
        age=timedelta(minutes=40),
        took=timedelta(minutes=10),
        note="Please choose the freshest bread.",
    ),
    DemoOrder(
        "wanjiku@example.com",
        amounts(FRU_BANANA="2", FRU_AVOCADO="1", BAB_NAPPY_M_40="1"),
        "pending",
        age=timedelta(minutes=5),
        landmark="Lavington, gate 12",
    ),
)
