"""The alert rules: they are rules, of metrics that exist, and each has its entry for whoever is woken by it."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Group
from flask import Flask

from tests.monitoring.exposed import names_in

ROOT = Path(__file__).parent.parent.parent
MONITORING = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
ENTRIES = re.split(r"^## ", (ROOT / "docs/alerts.md").read_text(), flags=re.MULTILINE)[1:]
DASHBOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

#: Of Prometheus' own exporters.
EXPORTERS = re.compile(r"(node|probe)_\w+")

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (Debian: prometheus) is not there")


def expressions() -> dict[str, str]:
    """Of alerts and panels, by where they stand."""
    panels = {
        f"{panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "5m")
        for panel in PANELS
        for target in panel["targets"]
    }
    return {**{rule["alert"]: rule["expr"] for rule in ALERTS}, **panels}


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_says_how_bad_it_is_and_where_to_read_on() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert re.fullmatch(r"\d+[mh]", rule["for"]), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"docs/alerts.md#{rule['alert'].lower()}"


def test_alerts_and_their_entries_are_the_same() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) == len(set(names)) > 30
    assert [entry.partition("\n")[0] for entry in ENTRIES] == names


def test_each_entry_says_all_that_somebody_who_was_woken_needs() -> None:
    for rule, entry in zip(ALERTS, ENTRIES, strict=True):
        severity = "**Critical.**" if rule["labels"]["severity"] == "critical" else "**Warning.**"
        assert entry.partition("\n\n")[2].startswith(severity), rule["alert"]
        points = re.findall(r"^- ([\w ]+):", entry, re.MULTILINE)
        assert points == ["Customers", "Look at", "Do", "Over when"], rule["alert"]


def test_links_between_entries_lead_somewhere() -> None:
    text = "".join(ENTRIES)
    names = {rule["alert"] for rule in ALERTS}
    links = re.findall(r"\[(\w+)\]\(#(\w+)\)", text)
    assert links
    assert [link for link in links if link[0] not in names or link[0].lower() != link[1]] == []


def test_panels_that_entries_speak_of_are_on_the_dashboard() -> None:
    titles = {panel["title"].removesuffix(" (95 of 100)") for panel in PANELS}
    spoken = set(re.findall(r'(?:panel|:|and) "([A-Z][^"]+)"', "".join(ENTRIES)))
    assert len(spoken) > 5
    assert spoken - titles == set()


def test_commands_that_entries_speak_of_exist(app: Flask) -> None:
    """Each `flask --app wsgi …` with its options, as far as it can be run without doing anything."""
    commands = re.findall(r"`flask --app wsgi ([^`]+)`", (ROOT / "docs/alerts.md").read_text())
    assert len(commands) > 15
    for words in {command: command.split() for command in commands}.values():
        command: Any = app.cli
        while isinstance(command, Group) and words:
            assert words[0] in command.commands, words
            command = command.commands[words.pop(0)]
        assert not isinstance(command, Group), words
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, (command.name, words)


def test_alerts_and_panels_use_metrics_that_exist(exposed: set[str]) -> None:
    for place, expression in expressions().items():
        names = {name for name in names_in(expression) if not EXPORTERS.fullmatch(name)}
        assert names <= exposed, (place, names - exposed)
        assert names or EXPORTERS.search(expression), place


def test_labels_that_are_asked_for_exist(app: Flask) -> None:
    """A selector with a misspelt label finds nothing, and an alert on it is silent for ever."""
    documented = dict(
        re.findall(r"^\| `(grocery_\w+)` \| \w+ \|([^|]*)\|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    )
    labels = {
        sample: {*re.findall(r"`(\w+)`", documented[sample_family]), "le"}
        for sample_family in documented
        for sample in (sample_family, f"{sample_family}_bucket")
    }
    for place, expression in expressions().items():
        for name, selector in re.findall(r"(grocery_\w+)\{([^}]*)\}", expression):
            asked = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            assert asked <= labels[name], (place, name, asked)


def test_routes_that_are_asked_for_exist(app: Flask) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    patterns = {
        part
        for expression in expressions().values()
        for pattern in re.findall(r'route[=!]~"([^"]+)"', expression)
        for part in pattern.split("|")
    }
    assert {"/orders/", "/checkout", "/healthz"} <= patterns
    assert [part for part in patterns if not any(re.fullmatch(part, rule) for rule in rules)] == []


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert [variable["type"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    titles = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert titles == ["Shop", "Requests", "Orders", "Messages", "Workers", "Database", "Streams"]


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in DASHBOARD["panels"]):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, place
        assert max(x for x, _ in cells) < 24
        taken |= cells


@needs_promtool
def test_prometheus_takes_the_rules_and_the_settings() -> None:
    promtool("check", "rules", "alerts.yaml")
    promtool("check", "config", "prometheus.yaml")


@needs_promtool
def test_prometheus_can_read_what_the_panels_ask(tmp_path: Path) -> None:
    asked = enumerate(expressions().values())
    rules = [{"record": f"panel:number{number}", "expr": expression} for number, expression in asked]
    path = tmp_path / "panels.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", str(path))


@needs_promtool
def test_alerts_ring_when_they_should_and_only_then() -> None:
    here = Path(__file__).parent
    promtool("test", "rules", str(here / "alerts_test.yaml"), str(here / "week_test.yaml"))


@needs_promtool
def test_a_scrape_is_as_prometheus_wants_it(scrape: str) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=scrape, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr + done.stdout) == (0, "")
