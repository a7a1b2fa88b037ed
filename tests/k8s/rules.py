"""What the schemas do not know: each rule answers what is wrong with a list of objects, one line for each."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from grocery.queues import JOB_TIMEOUT_SECONDS, JOBS
from grocery.serving.server import FINISH_SECONDS
from tests.k8s.manifests import (
    Object,
    containers,
    containers_of,
    fits,
    get,
    labels_of,
    name_of,
    of_kind,
    ours,
    pod_of,
    port_names,
    selects,
    workloads,
)

_FACTORS = {"": 1, "m": 0.001, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


def resources(objects: list[Object]) -> Iterator[str]:
    """Each container asks for what it needs. Memory has a limit; the processor has none, which would only waste it."""
    for where, container in containers(objects):
        asked, limits = (container.get("resources", {}).get(kind, {}) for kind in ("requests", "limits"))
        if not {"cpu", "memory"} <= asked.keys():
            yield f"{where}: no requests"
        elif "memory" not in limits or "cpu" in limits:
            yield f"{where}: a limit of memory is needed, one of the processor is not"
        elif _amount(asked["memory"]) > _amount(limits["memory"]):
            yield f"{where}: asks for more memory than it may have"


def images(objects: list[Object]) -> Iterator[str]:
    """Each image is pinned, and all of our processes are of one."""
    for where, container in containers(objects):
        tag = re.search(r"(?:@sha256:[0-9a-f]{64}|:([\w.-]+))$", container["image"])
        if not tag or tag[1] == "latest":
            yield f"{where}: {container['image']} is not pinned"
    own = {container["image"] for found in ours(objects) for container in containers_of(pod_of(found))}
    if len(own) != 1:
        yield f"several images: {', '.join(sorted(own))}"


def disks(objects: list[Object]) -> Iterator[str]:
    """Nothing can be written but /tmp and volumes, and what is in memory or on the node's disk has an end."""
    for where, container in containers(objects):
        if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{where}: its root can be written to"
    for found in workloads(objects):
        for volume in pod_of(found).get("volumes", []):
            if "emptyDir" in volume and not volume["emptyDir"].get("sizeLimit"):
                yield f"{name_of(found)}: volume {volume['name']} has no limit"
    for found in ours(objects):
        for container in containers_of(pod_of(found)):
            if "/tmp" not in [mount["mountPath"] for mount in container["volumeMounts"]]:
                yield f"{name_of(found)}/{container['name']}: no /tmp"


def selectors(objects: list[Object]) -> Iterator[str]:
    """What takes pods by their labels takes those that it is named after, and no others."""
    for found in workloads(objects):
        if not selects(found["spec"]["selector"], labels_of(found)):
            yield f"{name_of(found)}: does not select its own pods"
        for constraint in pod_of(found).get("topologySpreadConstraints", []):
            if not selects(constraint["labelSelector"], labels_of(found)):
                yield f"{name_of(found)}: spreads others than its own pods"
    for found in of_kind(objects, "Service", "PodDisruptionBudget", "PodMonitor", *("Deployment", "StatefulSet")):
        selector = found["spec"].get("selector")
        if selector is not None:
            taken = _taken(objects, {"matchLabels": selector} if found["kind"] == "Service" else selector)
            if [one["metadata"]["name"] for one in taken] != [found["metadata"]["name"]]:
                yield f"{name_of(found)}: takes the pods of {[name_of(one) for one in taken]}"
    for found in of_kind(objects, "NetworkPolicy"):
        if not _taken(objects, found["spec"]["podSelector"]):
            yield f"{name_of(found)}: takes no pods"


def ports(objects: list[Object]) -> Iterator[str]:
    """Whoever names a port names one that the pods have; and these have the one that their command says."""
    for found in workloads(objects):
        names = port_names(found)
        for container in pod_of(found)["containers"]:
            told = [int(after) for before, after in _pairs(container.get("command", [])) if before == "--port"]
            if told not in ([], list(names.values())):
                yield f"{name_of(found)}: listens at {told}, and says {names}"
            for probe in _probes(container).values():
                action = probe.get("httpGet") or probe.get("tcpSocket")
                if action and action["port"] not in names:
                    yield f"{name_of(found)}: a probe of {action['port']}"
    for found, name in _named_ports(objects):
        pods = _taken(objects, _selector(found))
        if not all(name in port_names(pod) for pod in pods):
            yield f"{name_of(found)}: port {name} is not one of {[name_of(pod) for pod in pods]}"
    for found in of_kind(objects, "Ingress"):
        paths = [path for rule in found["spec"]["rules"] for path in rule["http"]["paths"]]
        for backend in (path["backend"]["service"] for path in paths):
            offered = [
                port["name"]
                for service in of_kind(objects, "Service")
                if service["metadata"]["name"] == backend["name"]
                for port in service["spec"]["ports"]
            ]
            if backend["port"]["name"] not in offered:
                yield f"{name_of(found)}: there is no {backend}"


def scaling(objects: list[Object]) -> Iterator[str]:
    """Who is scaled has no `replicas`, which an update would set back; who is not has some. One scaler at the most."""
    scaled: list[str] = []
    for scaler in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        spec = scaler["spec"]
        scaled.append(spec["scaleTargetRef"]["name"])
        low, high = (spec.get(f"{end}Replicas") or spec.get(f"{end}ReplicaCount") for end in ("min", "max"))
        if not 1 <= (low or 0) <= (high or 0):
            yield f"{name_of(scaler)}: from {low} to {high}"
    names = [found["metadata"]["name"] for found in workloads(objects)]
    yield from (f"{name} is scaled and not there" for name in set(scaled) - set(names))
    yield from (f"{name} is scaled twice" for name in set(scaled) if scaled.count(name) > 1)
    for found in workloads(objects):
        if (found["metadata"]["name"] in scaled) == ("replicas" in found["spec"]):
            yield f"{name_of(found)}: {'has' if 'replicas' in found['spec'] else 'has no'} replicas"


def disruptions(objects: list[Object]) -> Iterator[str]:
    """Nodes can be emptied, one pod of each Deployment at a time."""
    guarded = {found["metadata"]["name"]: found["spec"] for found in of_kind(objects, "PodDisruptionBudget")}
    for found in of_kind(objects, "Deployment"):
        spec = guarded.get(found["metadata"]["name"], {})
        if spec.get("maxUnavailable") != 1 or "minAvailable" in spec:
            yield f"{name_of(found)}: no budget of 1"


def rollouts(objects: list[Object]) -> Iterator[str]:
    """The new ones are ready before the old ones go, and stay so for a while; the old ones may finish what they do."""
    drain = int(get(objects, "ConfigMap", "grocery")["data"]["DRAIN_SECONDS"])
    for found in of_kind(objects, "Deployment"):
        update = found["spec"]["strategy"]["rollingUpdate"]
        if update["maxUnavailable"] != 0 or update["maxSurge"] in (0, "0%") or not found["spec"].get("minReadySeconds"):
            yield f"{name_of(found)}: may be away during an update"
    for found in ours(objects):
        longest = drain + max(JOB_TIMEOUT_SECONDS, FINISH_SECONDS)
        if pod_of(found)["terminationGracePeriodSeconds"] <= longest + 5:  # 5: the longest `preStop`
            yield f"{name_of(found)}: is killed before it has finished"


def probes(objects: list[Object]) -> Iterator[str]:
    """Each container is probed; those behind a Service also for whether they can serve."""
    served = [one["spec"]["selector"] for one in of_kind(objects, "Service") if one["spec"].get("selector")]
    for found in workloads(objects):
        is_served = any(fits(selector, labels_of(found)) for selector in served)
        for container in pod_of(found)["containers"]:
            asked = _probes(container)
            needed = {"startup", "liveness", *(["readiness"] if is_served else [])}
            if not needed <= asked.keys():
                yield f"{name_of(found)}: no {', '.join(sorted(needed - asked.keys()))} probe"
                continue
            if asked["startup"]["periodSeconds"] * asked["startup"]["failureThreshold"] < 30:
                yield f"{name_of(found)}: has little time to start"
            if asked["liveness"]["periodSeconds"] * asked["liveness"]["failureThreshold"] < 30:
                yield f"{name_of(found)}: is soon taken for dead"
            if any("exec" in probe and probe.get("timeoutSeconds", 1) < 3 for probe in asked.values()):
                yield f"{name_of(found)}: Python needs longer to start on a busy node"


def migrations(objects: list[Object]) -> Iterator[str]:
    """Each pod of ours sees to it that the database is as the program wants it, with the settings of the program."""
    for found in ours(objects):
        first, *others = containers_of(pod_of(found))
        if first.get("command") != ["flask", "--app", "wsgi", "migrate"] or first in pod_of(found)["containers"]:
            yield f"{name_of(found)}: does not migrate"
        elif any(first["envFrom"] != other["envFrom"] for other in others):
            yield f"{name_of(found)}: migrates with other settings"


def queues(objects: list[Object]) -> Iterator[str]:
    """Each queue has a Deployment of workers, and no worker has another queue."""
    served = [
        container["command"][-1]
        for found in ours(objects)
        for container in pod_of(found)["containers"]
        if container["command"][:-1] == ["rq", "worker", "-w", "grocery.worker.Worker"]
    ]
    if sorted(served) != sorted(JOBS):
        yield f"workers of {served}, queues {sorted(JOBS)}"


def identities(objects: list[Object]) -> Iterator[str]:
    """Pods have no token of Kubernetes and no variables of its Services; all is in one namespace."""
    for found in workloads(objects):
        pod = pod_of(found)
        if pod.get("automountServiceAccountToken") is not False or pod.get("enableServiceLinks") is not False:
            yield f"{name_of(found)}: has what it does not need"
        account = pod.get("serviceAccountName")
        if account and account not in [one["metadata"]["name"] for one in of_kind(objects, "ServiceAccount")]:
            yield f"{name_of(found)}: {account} is not there"
    for found in objects:
        if found["kind"] != "Namespace" and found["metadata"].get("namespace") != "grocery":
            yield f"{name_of(found)}: is in no namespace"


def _amount(quantity: str) -> float:
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", quantity)
    assert match, quantity
    return float(match[1]) * _FACTORS[match[2]]


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    return itertools.pairwise(words)


def _probes(container: Object) -> dict[str, Any]:
    kinds = ("startup", "readiness", "liveness")
    return {kind: container[f"{kind}Probe"] for kind in kinds if f"{kind}Probe" in container}


def _taken(objects: list[Object], selector: Object) -> list[Object]:
    return [found for found in workloads(objects) if selects(selector, labels_of(found))]


def _selector(found: Object) -> Object:
    spec = found["spec"]
    if found["kind"] == "NetworkPolicy":
        return dict(spec["podSelector"])
    return {"matchLabels": spec["selector"]} if found["kind"] == "Service" else dict(spec["selector"])


def _named_ports(objects: list[Object]) -> Iterator[tuple[Object, str]]:
    """Ports of pods that others name."""
    for found in of_kind(objects, "Service"):
        if found["spec"].get("selector"):
            yield from ((found, port["targetPort"]) for port in found["spec"]["ports"])
    for found in of_kind(objects, "NetworkPolicy"):
        yield from ((found, port["port"]) for rule in found["spec"].get("ingress", []) for port in rule["ports"])
    for found in of_kind(objects, "PodMonitor"):
        yield from ((found, endpoint["port"]) for endpoint in found["spec"]["podMetricsEndpoints"])


RULES = (
    resources,
    images,
    disks,
    selectors,
    ports,
    scaling,
    disruptions,
    rollouts,
    probes,
    migrations,
    queues,
    identities,
)
