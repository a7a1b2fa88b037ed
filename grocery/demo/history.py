"""What the people of the demo shop ordered in the last two weeks: its figures and reports have something to show."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from grocery.demo.people import DemoOrder, amounts

_BASKETS = {
    "breakfast": amounts(BAK_BREAD_BROWN_400="2", DAI_MILK_500="4", DAI_EGGS_6="1", TEA_LEAVES_250="1"),
    "supper": amounts(FLR_MAIZE_2KG="2", VEG_SUKUMA="0.5", VEG_TOMATO="1", VEG_ONION_RED="0.5", MEA_BEEF_BONE="1"),
    "fruit": amounts(FRU_BANANA="1.5", FRU_MANGO="2", FRU_AVOCADO="1", DAI_YOG_PLAIN_1KG="1"),
    "cupboard": amounts(RIC_PISHORI_5KG="1", OIL_VEG_1L="2", SUG_WHITE_1KG="2", PUL_NDENGU="1", SAL_TABLE_500="1"),
    "cleaning": amounts(HOU_POWDER_1KG="1", HOU_TISSUE_10="1", PER_SOAP_175="4", HOU_DISHSOAP_750="1"),
    "fish": amounts(FSH_TILAPIA="1.25", VEG_SPINACH="0.5", VEG_TOMATO="0.5", RIC_MBEYA_2KG="1"),
    "chapati": amounts(FLR_ATTA_2KG="2", PUL_BEANS_ROSECOCO="1", VEG_CARROT="0.5", VEG_DHANIA="2"),
    "baby": amounts(BAB_NAPPY_M_40="1", BAB_WIPES_80="2", DAI_MILK_1L="2"),
}

# Days ago, the hour, by whom, what, and the hours until it was at the door: fuller baskets at the ends of the weeks.
_DELIVERED = (
    (13, 9, "amina", "supper", 4.0),
    (13, 15, "wanjiku", "fruit", 3.0),
    (12, 8, "brian", "breakfast", 2.5),
    (11, 10, "amina", "cupboard", 5.0),
    (11, 11, "wanjiku", "chapati", 4.5),
    (10, 8, "wanjiku", "baby", 2.0),
    (10, 14, "brian", "supper", 3.5),
    (10, 16, "amina", "fruit", 2.5),
    (9, 9, "brian", "cleaning", 6.0),
    (8, 9, "amina", "breakfast", 2.0),
    (8, 13, "wanjiku", "fish", 4.0),
    (7, 8, "wanjiku", "cupboard", 3.0),
    (7, 12, "brian", "fish", 4.0),
    (6, 10, "amina", "chapati", 3.5),
    (5, 9, "wanjiku", "breakfast", 2.5),
    (5, 15, "brian", "fruit", 3.0),
    (4, 8, "amina", "baby", 2.0),
    (4, 11, "wanjiku", "supper", 5.0),
    (4, 14, "brian", "cupboard", 3.5),
    (3, 10, "wanjiku", "cleaning", 4.0),
    (2, 9, "brian", "chapati", 3.0),
    (2, 13, "amina", "fish", 2.5),
    (1, 8, "wanjiku", "breakfast", 2.0),
    (1, 11, "brian", "supper", 4.5),
    (1, 16, "amina", "cupboard", 3.0),
)

_LANDMARKS = {
    "amina": "near Shell, blue gate",
    "brian": "opposite Kenyatta Market, second floor",
    "wanjiku": "Lavington, gate 12",
}


def delivered_orders(now: datetime) -> Iterator[DemoOrder]:
    """Orders of the days before `now`, in the shop's time zone, the oldest first."""
    for days, hour, name, basket, hours in _DELIVERED:
        placed_at = (now - timedelta(days=days)).replace(hour=hour, minute=10 + days, second=0, microsecond=0)
        yield DemoOrder(
            f"{name}@example.com",
            _BASKETS[basket],
            "delivered",
            age=now - placed_at,
            took=timedelta(hours=hours),
            landmark=_LANDMARKS[name],
        )
