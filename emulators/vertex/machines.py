"""What a request says of machines and their number, and what holds where it says nothing."""

import re

from emulators.vertex.schema import Json

_MACHINE = re.compile(r"-(\d+)$")


def machine_type(of: Json) -> str:
    """The machine type of dedicated resources or a worker pool; "" where none is given."""
    return str(of.get("machineSpec", {}).get("machineType", ""))


def cpus(machine: str) -> int:
    """How many CPUs a machine type has: its last number, such as 4 of `n1-standard-4`; without one, one."""
    found = _MACHINE.search(machine)
    return int(found[1]) if found else 1


def replica_counts(resources: Json) -> tuple[int, int]:
    """The least and the most replicas; where no most is given, it is the least."""
    least = int(resources.get("minReplicaCount", 1))
    return least, int(resources.get("maxReplicaCount", 0)) or least
