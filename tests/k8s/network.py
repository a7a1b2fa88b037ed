"""What the NetworkPolicies let through.

A pod that no policy selects is open; one that is selected may do what any of its policies allows, and nothing else:
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from tests.k8s.manifests import Object, labels_of, of_kind, port_names, selects

#: A namespace from outside, by the label that each has by itself.
Namespace = str


def _policies(objects: list[Object], workload: Object, direction: str) -> list[Object]:
    return [
        policy["spec"]
        for policy in of_kind(objects, "NetworkPolicy")
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], labels_of(workload))
    ]


def may_reach(objects: list[Object], workload: Object, port: int, protocol: str = "TCP") -> bool:
    """Whether its pods may call some address at this port."""
    policies = _policies(objects, workload, "Egress")
    return not policies or any(
        (port, protocol) in [(allowed["port"], allowed.get("protocol", "TCP")) for allowed in rule["ports"]]
        for policy in policies
        for rule in policy.get("egress", [])
    )


def lets_in(objects: list[Object], workload: Object, port: str, caller: Object | Namespace) -> bool:
    """Whether its pods may be called at this port by another workload, or from another namespace."""
    policies = _policies(objects, workload, "Ingress")
    rules = [rule for policy in policies for rule in policy.get("ingress", [])]
    peers = [peer for rule in rules if port in [allowed["port"] for allowed in rule["ports"]] for peer in rule["from"]]
    return port in port_names(workload) and (not policies or any(_is_from(peer, caller) for peer in peers))


def _is_from(peer: Object, caller: Object | Namespace) -> bool:
    if isinstance(caller, str):
        return "namespaceSelector" in peer and selects(
            peer["namespaceSelector"], {"kubernetes.io/metadata.name": caller}
        )
    return peer.keys() == {"podSelector"} and selects(peer["podSelector"], labels_of(caller))
