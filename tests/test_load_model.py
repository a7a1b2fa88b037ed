"""The load model says what it is said to say."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load_model import COSTS, Habits, Load, Machine, main, model, page_shares

COST = json.loads(COSTS.read_text())
SCALING = (Path(__file__).parent.parent / "docs/scaling.md").read_text()


def load(orders_per_day: int = 100_000, habits: Habits | None = None, machine: Machine | None = None) -> Load:
    return model(orders_per_day, COST, habits or Habits(), machine or Machine())


def test_the_documentation_shows_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["load_model"])
    main()
    assert capsys.readouterr().out in SCALING


def test_the_documentation_shows_the_measured_costs() -> None:
    """A row for each kind: what it costs the API, PostgreSQL and the workers."""
    rows = {**COST["cpu_ms"], "order placed": COST["placed_cpu_ms"], "order to its end": COST["order_cpu_ms"]}
    for kind, cost in rows.items():
        workers = cost["orders"] + cost["notify"]
        figures = " | ".join(f"{value:.1f}" for value in (cost["api"], cost["postgres"], workers))
        assert f"| {kind.replace('_', ' ')} | {figures} |" in SCALING


def test_the_pages_of_a_visit_add_up_and_were_measured() -> None:
    assert sum(page_shares().values()) == pytest.approx(1)
    assert set(page_shares()) <= set(COST["cpu_ms"])


def test_the_busiest_minute_is_worked_out_from_the_day() -> None:
    found = load(habits=Habits(peak_hour=0.1, peak_factor=2, visits=5, pages=4))
    assert found.orders_per_second == pytest.approx(100_000 * 0.1 / 3600 * 2)
    assert found.pages_per_second == pytest.approx(found.orders_per_second * 20)


def test_ten_times_the_orders_take_ten_times_the_processors_and_the_disk() -> None:
    one, ten = load(100_000), load(1_000_000)
    for name in ("api_cores", "primary_cores", "catalogue_cores", "sms_per_second", "wal_mb_per_second", "disk_gb"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


def test_there_is_always_a_machine_more_than_is_needed() -> None:
    for orders in (1_000, 100_000, 1_000_000):
        found = load(orders)
        left = (found.api_machines - 1) * Machine().cores * Machine().busy
        assert found.api_machines >= 2
        assert left >= found.api_cores


def test_a_small_shop_has_no_replica_and_a_larger_machine_needs_fewer() -> None:
    assert load(1_000).replicas == 0
    assert load(1_000_000).replicas > 0
    large = load(1_000_000, machine=Machine(cores=16))
    assert large.api_machines < load(1_000_000).api_machines


def test_the_primary_is_as_large_as_what_it_has_to_do() -> None:
    """It is one machine: it grows, where the others become more."""
    found = load(20_000_000)
    assert found.primary_size * Machine().busy >= found.primary_cores
    assert found.primary_size / 2 * Machine().busy < found.primary_cores


def test_slow_providers_need_more_workers() -> None:
    slow = replace(Habits(), sms_seconds=3.0)
    assert load(1_000_000, slow).notify_workers > load(1_000_000).notify_workers
