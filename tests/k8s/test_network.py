"""Who may talk to whom."""

import pytest

from tests.k8s.manifests import ALL, get, load, name_of, needs_kubectl, ours, read_base, workloads
from tests.k8s.network import lets_in, may_reach

POSTGRES, PGBOUNCER, REDIS, SENTINEL, TRACES = 5432, 6432, 6379, 26379, 4318
MAIL = (25, 465, 587)
HTTPS = 443
SECRETS_OF_CLOUDS = 80


@pytest.mark.parametrize("what", ALL)
def test_each_process_reaches_what_it_needs_and_nothing_else(what: str) -> None:
    objects = load(what)
    for workload in ours(objects):
        role = workload["metadata"]["name"]
        assert may_reach(objects, workload, 53, "UDP"), role
        for port in (53, POSTGRES, PGBOUNCER, REDIS, SENTINEL, TRACES, HTTPS):
            assert may_reach(objects, workload, port), (role, port)
        assert [may_reach(objects, workload, port) for port in MAIL] == [role == "worker-notify"] * 3, role
        assert not may_reach(objects, workload, SECRETS_OF_CLOUDS), role
        assert not may_reach(objects, workload, 22), role


@pytest.mark.parametrize("what", ALL)
def test_visitors_reach_the_shop_and_the_streams_only(what: str) -> None:
    objects = load(what)
    for namespace in ("ingress-nginx", "traefik", "monitoring"):
        open_ones = {name_of(found) for found in workloads(objects) if lets_in(objects, found, "http", namespace)}
        assert open_ones == {"Deployment/api", "Deployment/stream"}
    assert [name_of(found) for found in workloads(objects) if lets_in(objects, found, "http", "default")] == []


@needs_kubectl
@pytest.mark.parametrize(
    ("overlay", "engine", "port"),
    [
        ("dev", "StatefulSet/postgres", "postgres"),
        ("dev", "StatefulSet/valkey", "redis"),
        ("prod", "Deployment/pgbouncer", "pgbouncer"),
    ],
)
def test_engines_let_in_our_processes_only(overlay: str, engine: str, port: str) -> None:
    objects = load(overlay)
    server = get(objects, *engine.split("/"))
    callers = [found for found in workloads(objects) if lets_in(objects, server, port, found)]
    assert [name_of(found) for found in callers] == [name_of(found) for found in ours(objects)]
    assert not any(lets_in(objects, server, port, namespace) for namespace in ("default", "ingress-nginx"))
    assert not may_reach(objects, server, HTTPS)


def test_without_the_policy_that_forbids_the_rest_more_would_be_let_through() -> None:
    """What the other tests lean on: the rule of the plugin is that a pod without policies is open."""
    objects = read_base()
    relay = get(objects, "Deployment", "relay")
    for name in ("nothing-else", "engines", "https"):
        objects.remove(get(objects, "NetworkPolicy", name))
    assert may_reach(objects, relay, 22)
    objects.remove(get(objects, "NetworkPolicy", "visitors"))
    objects.remove(get(objects, "NetworkPolicy", "monitoring"))
    assert lets_in(objects, get(objects, "Deployment", "api"), "http", "default")
