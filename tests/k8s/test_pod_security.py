"""Every pod may run in a namespace that enforces the Pod Security Standard `restricted`."""

from typing import Any

import pytest

from tests.k8s.manifests import ALL, get, load, name_of, pod_of, read_base, workloads
from tests.k8s.pod_security import violations

#: Each control of the standard, and a pod that breaks it.
BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("Host Namespaces", "pod", {"hostNetwork": True}),
    ("Host Namespaces", "pod", {"hostPID": True}),
    ("Host Namespaces", "pod", {"hostIPC": True}),
    ("Volume Types", "pod", {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]}),
    ("Sysctls", "pod", {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
    ("Running as Non-root", "pod", {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
    ("Running as Non-root user", "pod", {"securityContext": {"runAsNonRoot": True, "runAsUser": 0}}),
    ("Seccomp", "pod", {"securityContext": {"runAsNonRoot": True}}),
    ("Seccomp profile", "container", {"seccompProfile": {"type": "Unconfined"}}),
    ("HostProcess", "container", {"windowsOptions": {"hostProcess": True}}),
    ("AppArmor", "container", {"appArmorProfile": {"type": "Unconfined"}}),
    ("SELinux", "container", {"seLinuxOptions": {"type": "spc_t"}}),
    ("Privileged Containers", "container", {"privileged": True}),
    ("Privilege Escalation", "container", {"allowPrivilegeEscalation": True}),
    ("Privilege Escalation", "container", {"allowPrivilegeEscalation": None}),
    ("Running as Non-root", "container", {"runAsNonRoot": False}),
    ("Running as Non-root user", "container", {"runAsUser": 0}),
    ("Capabilities", "container", {"capabilities": {"drop": ["NET_RAW"]}}),
    ("Capabilities", "container", {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
    ("/proc Mount Type", "container", {"procMount": "Unmasked"}),
]


@pytest.mark.parametrize("what", ALL)
def test_every_pod_passes_the_restricted_standard(what: str) -> None:
    objects = load(what)
    assert {name_of(found): violations(pod_of(found)) for found in workloads(objects)} == {
        name_of(found): [] for found in workloads(objects)
    }
    labels = get(objects, "Namespace", "grocery")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("where", ["initContainers", "containers"])
@pytest.mark.parametrize(("control", "level", "change"), BROKEN)
def test_a_pod_that_breaks_a_control_is_found(control: str, level: str, change: dict[str, Any], where: str) -> None:
    pod = pod_of(get(read_base(), "Deployment", "api"))
    (pod if level == "pod" else pod[where][0]["securityContext"]).update(change)
    assert control in [problem.rpartition(": ")[2] for problem in violations(pod)]


@pytest.mark.parametrize(
    ("control", "change"),
    [
        ("Host Ports", {"ports": [{"name": "http", "containerPort": 8000, "hostPort": 80}]}),
        ("Host Probes / Lifecycle Hooks", {"livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 80}}}),
        ("Host Probes / Lifecycle Hooks", {"lifecycle": {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}}),
    ],
)
def test_a_container_that_reaches_for_its_host_is_found(control: str, change: dict[str, Any]) -> None:
    pod = pod_of(get(read_base(), "Deployment", "api"))
    pod["containers"][0].update(change)
    assert violations(pod) == [f"api: {control}"]
