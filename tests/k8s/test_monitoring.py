"""Prometheus hears of every process that has figures, and has the alerts of deploy/monitoring."""

from typing import Any

from tests.e2e.shop import ROOT
from tests.k8s.manifests import K8S, of_kind, read, read_base

PROD = K8S / "overlays" / "prod"


def test_whoever_has_figures_is_asked_for_them() -> None:
    served = {found["metadata"]["name"] for found in of_kind(read_base(), "Service") if found["spec"].get("selector")}
    monitors = of_kind(read(PROD / "monitoring.yaml"), "PodMonitor")
    assert {found["metadata"]["name"] for found in monitors} == served
    for found in monitors:
        [endpoint] = found["spec"]["podMetricsEndpoints"]
        assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")


def test_the_alerts_are_those_of_deploy() -> None:
    """`make manifests` makes them."""
    [alerts] = read(ROOT / "deploy" / "monitoring" / "alerts.yaml")
    [rule] = read(PROD / "rules.yaml")
    assert rule["spec"] == alerts
    rules: list[dict[str, Any]] = [one for group in alerts["groups"] for one in group["rules"]]
    assert len(rules) > 5
