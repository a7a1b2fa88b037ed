"""How many machines a shop needs: from what one page, order and message cost, and from how people shop.

    python -m benchmarks.load_model [--orders-per-day 10000 100000 1000000] [--visits 8] …

The costs are those that `benchmarks.costs` has measured (`costs.json`), the habits are assumptions that can be set by
options, as can the machine. Nothing is started. `docs/scaling.md` shows and explains the result.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

COSTS = Path(__file__).with_name("costs.json")

# What the pages of a visit are, by share. What they read may come from a replica.
_PAGES = {"home_page": 0.15, "search_page": 0.35, "product_page": 0.5}

# Of one API process: one to read and one to write for each request that is worked on (REQUESTS_AT_ONCE).
_CONNECTIONS = 8

# Messages under way at once in one worker: `grocery.notify.sending`.
_SMS_AT_ONCE, _MAILS_AT_ONCE = 16, 4


@dataclass(frozen=True)
class Habits:
    """How people shop. Each is an option of the command."""

    visits: float = 8.0  #: visits for each order
    pages: float = 10.0  #: pages in a visit
    cart_changes: float = 15.0  #: changes of carts for each order, those that are given up included
    sign_ins: float = 0.3  #: sign-ins with a password for each order
    peak_hour: float = 0.12  #: share of a day's orders in its busiest hour
    peak_factor: float = 1.5  #: the busiest minute against the mean of that hour
    watched_minutes: float = 20.0  #: minutes for which an order is followed live
    kept_days: float = 365.0  #: days for which orders are kept in the database
    sms_seconds: float = 0.3  #: what the SMS provider takes for a message
    mail_seconds: float = 0.15  #: what the mail server takes for a message


@dataclass(frozen=True)
class Machine:
    """What is bought. Each is an option of the command."""

    cores: float = 4.0  #: processors of a machine
    memory_gb: float = 16.0  #: memory of a machine
    busy: float = 0.6  #: share of its processors that may be used at the peak
    crowd: float = 1.5  #: what a request costs when many are worked on at once, against one alone (`benchmarks.node`)


@dataclass(frozen=True)
class Load:
    """What so many orders a day need at the peak; processors are those of the machine on which costs were measured."""

    orders_per_day: int
    orders_per_second: float
    pages_per_second: float
    api_cores: float
    primary_cores: float
    catalogue_cores: float
    sms_per_second: float
    mails_per_second: float
    order_worker_cores: float
    notify_workers: int
    streams: int
    wal_mb_per_second: float
    disk_gb_per_month: float
    disk_gb: float
    api_machines: int
    primary_size: int
    replicas: int
    connections: int

    @property
    def machines(self) -> int:
        """All: API with workers, relay and streams; PostgreSQL and its standby; three for Valkey and its sentinels."""
        return self.api_machines + 2 + self.replicas + 3


def page_shares() -> dict[str, float]:
    """What the pages of a visit are: the kinds of `costs.json`, and their shares."""
    return dict(_PAGES)


def model(orders_per_day: int, costs: Mapping[str, Any], habits: Habits, machine: Machine) -> Load:
    """The load of a day, worked out for its busiest minute."""
    orders = orders_per_day * habits.peak_hour / 3600 * habits.peak_factor
    pages = orders * habits.visits * habits.pages
    cpu, order = costs["cpu_ms"], costs["order_cpu_ms"]

    def cores(part: str, rates: Mapping[str, float]) -> float:
        return sum(rate * cpu[kind][part] for kind, rate in rates.items()) / 1000 * machine.crowd

    page_rates = {kind: pages * share for kind, share in _PAGES.items()}
    other_rates = {"cart_change": orders * habits.cart_changes, "sign_in": orders * habits.sign_ins}
    api = cores("api", {**page_rates, **other_rates}) + orders * order["api"] / 1000 * machine.crowd
    catalogue = cores("postgres", page_rates)
    primary = cores("postgres", other_rates) + orders * order["postgres"] / 1000 * machine.crowd
    workers = orders * (order["orders"] + order["notify"]) / 1000
    messages = costs["order_messages"]
    sms, mails = orders * messages["sms"], orders * messages["email"]
    usable = machine.cores * machine.busy
    api_machines = _with_spare((api + workers) / usable)
    processes = api_machines * math.ceil(machine.cores)
    needs_replica = catalogue + primary > usable
    disk = orders_per_day * costs["order_disk_bytes"] / 1e9
    return Load(
        orders_per_day=orders_per_day,
        orders_per_second=orders,
        pages_per_second=pages,
        api_cores=api,
        primary_cores=primary,
        catalogue_cores=catalogue,
        sms_per_second=sms,
        mails_per_second=mails,
        order_worker_cores=orders * order["orders"] / 1000,
        notify_workers=max(
            2, math.ceil(sms * habits.sms_seconds / _SMS_AT_ONCE + mails * habits.mail_seconds / _MAILS_AT_ONCE)
        ),
        streams=math.ceil(orders_per_day * habits.peak_hour * habits.watched_minutes / 60),
        wal_mb_per_second=orders * costs["order_wal_bytes"] / 1e6,
        disk_gb_per_month=disk * 30,
        disk_gb=disk * habits.kept_days,
        api_machines=api_machines,
        primary_size=_size_for((primary if needs_replica else primary + catalogue) / machine.busy, machine),
        replicas=_with_spare(catalogue / usable) if needs_replica else 0,
        connections=processes * _CONNECTIONS,
    )


def _size_for(cores: float, machine: Machine) -> int:
    """Processors of a machine that has so many: there is one primary, which cannot be split without more ado."""
    size = math.ceil(machine.cores)
    while size < cores:
        size *= 2
    return size


def _with_spare(machines: float) -> int:
    """Whole machines, and one that may be lost."""
    return max(2, math.ceil(machines) + 1)


_ROWS = (
    ("orders a second", "orders_per_second", ".1f"),
    ("pages a second", "pages_per_second", ".0f"),
    ("processors for the API", "api_cores", ".1f"),
    ("processors for workers of orders", "order_worker_cores", ".1f"),
    ("workers for messages", "notify_workers", "d"),
    ("SMS a second", "sms_per_second", ".1f"),
    ("e-mails a second", "mails_per_second", ".1f"),
    ("people who follow an order live", "streams", ",d"),
    ("processors of PostgreSQL for orders and carts", "primary_cores", ".1f"),
    ("processors of PostgreSQL for the catalogue", "catalogue_cores", ".1f"),
    ("log to be shipped, MB a second", "wal_mb_per_second", ".2f"),
    ("disk, GB a month", "disk_gb_per_month", ",.0f"),
    ("disk for what is kept, GB", "disk_gb", ",.0f"),
    ("machines for API and workers", "api_machines", "d"),
    ("processors of the primary's machine, and of its standby's", "primary_size", "d"),
    ("replicas that answer for the catalogue", "replicas", "d"),
    ("connections of the API to PgBouncer", "connections", "d"),
    ("machines in all: these, primary, standby, three for Valkey", "machines", "d"),
)


def table(loads: Sequence[Load]) -> str:
    """The loads side by side, in Markdown."""
    lines = [
        "| At the peak of a day with so many orders | "
        + " | ".join(f"{load.orders_per_day:,}" for load in loads)
        + " |",
        "|---|" + "---:|" * len(loads),
    ]
    for text, name, form in _ROWS:
        lines.append(f"| {text} | " + " | ".join(format(getattr(load, name), form) for load in loads) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders-per-day", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    for kind in (Habits, Machine):
        for field in fields(kind):
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    given = vars(parser.parse_args())
    costs = json.loads(COSTS.read_text())
    habits, machine = (kind(**{field.name: given[field.name] for field in fields(kind)}) for kind in (Habits, Machine))
    print(table([model(number, costs, habits, machine) for number in given["orders_per_day"]]))


if __name__ == "__main__":
    main()
