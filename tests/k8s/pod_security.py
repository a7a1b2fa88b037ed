"""The rules of the Pod Security Standard `restricted`, with those of `baseline` that it contains.

https://kubernetes.io/docs/concepts/security/pod-security-standards/, control by control. A cluster checks them when it
makes a pod; the tests have no cluster, and hear of it before.
"""

from collections.abc import Iterator
from typing import Any

from tests.k8s.manifests import Object, containers_of

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
PROFILES = ("RuntimeDefault", "Localhost")
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def violations(pod: Object) -> list[str]:
    """The controls that a pod's specification breaks, with the container in front where it is one that does."""
    found = [*_of_pod(pod), *_of_context(pod.get("securityContext", {}))]
    for container in containers_of(pod):
        found += [f"{container['name']}: {problem}" for problem in _of_container(container, pod)]
    return found


def _of_pod(pod: Object) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield "Host Namespaces"
    for volume in pod.get("volumes", []):
        if volume.keys() - {"name"} - VOLUMES:
            yield "Volume Types"
    for sysctl in pod.get("securityContext", {}).get("sysctls", []):
        if sysctl["name"] not in SYSCTLS:
            yield "Sysctls"


def _of_container(container: Object, pod: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    of_pod = pod.get("securityContext", {})
    yield from _of_context(context)
    if context.get("privileged"):
        yield "Privileged Containers"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "Privilege Escalation"
    if context.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
        yield "Running as Non-root"
    if context.get("seccompProfile", of_pod.get("seccompProfile", {})).get("type") not in PROFILES:
        yield "Seccomp"
    capabilities = context.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "Capabilities"
    if context.get("procMount", "Default") != "Default":
        yield "/proc Mount Type"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "Host Ports"
    if any(action.get("host") for action in _actions(container)):
        yield "Host Probes / Lifecycle Hooks"


def _of_context(context: Object) -> Iterator[str]:
    """What is said in the same words of a pod and of a container."""
    if context.get("runAsUser") == 0:
        yield "Running as Non-root user"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "HostProcess"
    if context.get("appArmorProfile", {}).get("type", PROFILES[0]) not in PROFILES:
        yield "AppArmor"
    if context.get("seccompProfile", {}).get("type", PROFILES[0]) not in PROFILES:
        yield "Seccomp profile"
    options = context.get("seLinuxOptions", {})
    if options.get("type", "") not in SELINUX_TYPES or options.get("user") or options.get("role"):
        yield "SELinux"


def _actions(container: Object) -> Iterator[dict[str, Any]]:
    handlers = [container.get(f"{kind}Probe", {}) for kind in ("startup", "readiness", "liveness")]
    handlers += container.get("lifecycle", {}).values()
    for handler in handlers:
        yield from (handler[kind] for kind in ("httpGet", "tcpSocket") if kind in handler)
