"""The manifests keep the rules; and each rule finds what is wrong when something is."""

import re
import tomllib
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.e2e.shop import ROOT
from tests.k8s import rules
from tests.k8s.manifests import ALL, BASE, GENERATED, K8S, Object, containers, get, load, name_of, read, read_base

Rule = Callable[[list[Object]], Iterable[str]]
Path = tuple[str | int, ...]

POD = ("spec", "template", "spec")
MAIN = (*POD, "containers", 0)
FIRST = (*POD, "initContainers", 0)
SPREAD = (*POD, "topologySpreadConstraints", 0)
TAKEN = ("spec", "selector", "matchLabels")
GONE = object()
LABEL = "app.kubernetes.io/component"

#: Files with images that compose.yaml has, too.
WITH_IMAGES = [
    "base/api.yaml",
    "overlays/dev/postgres.yaml",
    "overlays/dev/valkey.yaml",
    "overlays/prod/pgbouncer.yaml",
]

#: For each rule: something in the base, another value for it, and what is said then.
BROKEN: list[tuple[Rule, str, Path, Any, str]] = [
    (rules.resources, "Deployment/api", (*MAIN, "resources", "requests"), GONE, "no requests"),
    (rules.resources, "Deployment/api", (*FIRST, "resources"), GONE, "migrate: no requests"),
    (rules.resources, "Deployment/relay", (*MAIN, "resources", "limits", "cpu"), "1", "the processor is not"),
    (rules.resources, "Deployment/relay", (*MAIN, "resources", "limits", "memory"), GONE, "a limit of memory"),
    (rules.resources, "Deployment/relay", (*MAIN, "resources", "requests", "memory"), "2Gi", "more memory"),
    (rules.images, "Deployment/api", (*MAIN, "image"), "grocery", "not pinned"),
    (rules.images, "Deployment/api", (*MAIN, "image"), "grocery:latest", "not pinned"),
    (rules.images, "Deployment/api", (*FIRST, "image"), "grocery:0.0.9", "several images"),
    (rules.disks, "Deployment/api", (*FIRST, "securityContext", "readOnlyRootFilesystem"), GONE, "written to"),
    (rules.disks, "Deployment/api", (*POD, "volumes", 0, "emptyDir", "sizeLimit"), GONE, "no limit"),
    (rules.disks, "Deployment/api", (*MAIN, "volumeMounts", 0, "mountPath"), "/temp", "no /tmp"),
    (rules.selectors, "Deployment/api", ("spec", "template", "metadata", "labels", LABEL), "shop", "own pods"),
    (rules.selectors, "Deployment/api", (*TAKEN, LABEL), GONE, "takes the pods of"),
    (rules.selectors, "Deployment/api", (*SPREAD, "labelSelector", "matchLabels", LABEL), "shop", "spreads"),
    (rules.selectors, "Service/api", ("spec", "selector", LABEL), "stream", "takes the pods of"),
    (rules.selectors, "Service/api", ("spec", "selector", LABEL), GONE, "takes the pods of"),
    (rules.selectors, "PodDisruptionBudget/relay", (*TAKEN, LABEL), "relays", "takes the pods of []"),
    (rules.selectors, "NetworkPolicy/mail", ("spec", "podSelector", "matchLabels", LABEL), "mail", "takes no pods"),
    (rules.ports, "Deployment/api", (*MAIN, "ports", 0, "containerPort"), 8080, "listens at"),
    (rules.ports, "Deployment/api", (*MAIN, "ports", 0, "name"), "web", "a probe of"),
    (rules.ports, "Service/api", ("spec", "ports", 0, "targetPort"), "web", "port web is not one of"),
    (rules.ports, "Service/api", ("spec", "ports", 0, "name"), "web", "there is no"),
    (rules.ports, "Service/stream", (), GONE, "there is no"),
    (rules.ports, "NetworkPolicy/visitors", ("spec", "ingress", 0, "ports", 0, "port"), "https", "port https"),
    (rules.scaling, "Deployment/api", ("spec", "replicas"), 2, "has replicas"),
    (rules.scaling, "Deployment/relay", ("spec", "replicas"), GONE, "has no replicas"),
    (rules.scaling, "HorizontalPodAutoscaler/api", ("spec", "scaleTargetRef", "name"), "web", "not there"),
    (rules.scaling, "HorizontalPodAutoscaler/api", ("spec", "minReplicas"), 9, "from 9 to 6"),
    (rules.disruptions, "PodDisruptionBudget/stream", (), GONE, "no budget"),
    (rules.disruptions, "PodDisruptionBudget/stream", ("spec", "maxUnavailable"), 0, "no budget"),
    (rules.rollouts, "Deployment/api", ("spec", "strategy", "rollingUpdate", "maxUnavailable"), 1, "may be away"),
    (rules.rollouts, "Deployment/api", ("spec", "strategy", "rollingUpdate", "maxSurge"), 0, "may be away"),
    (rules.rollouts, "Deployment/api", ("spec", "minReadySeconds"), GONE, "may be away"),
    (rules.rollouts, "Deployment/worker-bulk", (*POD, "terminationGracePeriodSeconds"), 60, "is killed before"),
    (rules.rollouts, "ConfigMap/grocery", ("data", "DRAIN_SECONDS"), "60", "is killed before"),
    (rules.probes, "Deployment/api", (*MAIN, "readinessProbe"), GONE, "no readiness probe"),
    (rules.probes, "Deployment/relay", (*MAIN, "startupProbe"), GONE, "no startup probe"),
    (rules.probes, "Deployment/relay", (*MAIN, "startupProbe", "failureThreshold"), 3, "little time"),
    (rules.probes, "Deployment/api", (*MAIN, "livenessProbe", "failureThreshold"), 1, "soon taken for dead"),
    (rules.probes, "Deployment/relay", (*MAIN, "livenessProbe", "timeoutSeconds"), GONE, "Python needs longer"),
    (rules.migrations, "Deployment/stream", (*POD, "initContainers"), GONE, "does not migrate"),
    (rules.migrations, "Deployment/stream", (*FIRST, "command", 3), "db", "does not migrate"),
    (rules.migrations, "Deployment/stream", (*FIRST, "envFrom", 1), GONE, "other settings"),
    (rules.queues, "Deployment/worker-bulk", (), GONE, "workers of"),
    (rules.queues, "Deployment/worker-bulk", (*MAIN, "command", 4), "orders", "workers of"),
    (rules.queues, "Deployment/worker-bulk", (*MAIN, "command", 3), "rq.Worker", "workers of"),
    (rules.identities, "Deployment/api", (*POD, "automountServiceAccountToken"), GONE, "does not need"),
    (rules.identities, "Deployment/api", (*POD, "enableServiceLinks"), GONE, "does not need"),
    (rules.identities, "Deployment/api", (*POD, "serviceAccountName"), "shop", "shop is not there"),
    (rules.identities, "Service/api", ("metadata", "namespace"), GONE, "is in no namespace"),
]  # fmt: skip


@pytest.mark.parametrize("what", ALL)
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_manifests_keep_the_rule(rule: Rule, what: str) -> None:
    assert list(rule(load(what))) == []


@pytest.mark.parametrize(("rule", "where", "path", "value", "said"), BROKEN)
def test_what_breaks_a_rule_is_found(rule: Rule, where: str, path: Path, value: Any, said: str) -> None:
    objects = read_base()
    change(objects, where, path, value)
    problems = list(rule(objects))
    assert [problem for problem in problems if said in problem] != [], problems


def test_each_rule_was_seen_to_fail() -> None:
    assert {rule for rule, *_ in BROKEN} == set(rules.RULES)


def test_a_worker_that_is_scaled_by_two_or_has_replicas_is_found() -> None:
    objects = [*read_base(), *read(K8S / "overlays" / "prod" / "scaling.yaml")]
    assert [problem for problem in rules.scaling(objects) if "worker-bulk" in problem] == [
        "Deployment/worker-bulk: has replicas"
    ]
    get(objects, "ScaledObject", "worker-bulk")["spec"]["scaleTargetRef"]["name"] = "api"
    assert "api is scaled twice" in list(rules.scaling(objects))


def test_the_one_file_is_what_the_base_says() -> None:
    """That `make manifests` was run is seen without kubectl, since the base has nothing to transform."""
    [kustomization] = read(BASE / "kustomization.yaml")
    assert kustomization.keys() == {"apiVersion", "kind", "resources"}
    assert sorted(kustomization["resources"]) == sorted(
        path.name for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml"
    )
    assert sorted(read(GENERATED), key=name_of) == sorted(read_base(), key=name_of)


@pytest.mark.parametrize("path", WITH_IMAGES)
def test_images_are_those_of_compose(path: str) -> None:
    compose = re.sub(r"\$\{GROCERY_VERSION:-([\w.]+)\}", r"\1", (ROOT / "compose.yaml").read_text())
    known = re.findall(r"^ *image: (\S+)$", compose, re.MULTILINE)
    assert {container["image"] for _, container in containers(read(K8S / path))} <= set(known)
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert f"grocery:{version}" in known
    [kustomization] = read(K8S / "overlays" / "prod" / "kustomization.yaml")
    assert {f"{image['name']}:{image['newTag']}" for image in kustomization["images"]} == {
        f"grocery:{version}",
        f"grocery-pgbouncer:{version}",
    }


def change(objects: list[Object], where: str, path: Path, value: Any) -> None:
    """Give a field of an object another value, or take it away."""
    found: Any = get(objects, *where.split("/"))
    if not path:
        objects.remove(found)
        return
    *parents, last = path
    for step in parents:
        found = found[step]
    if value is GONE:
        del found[last]
    else:
        found[last] = value
