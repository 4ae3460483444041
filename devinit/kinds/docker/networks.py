"""The network of a checkout: its containers know one another by name there, and reach the services beside them."""

from __future__ import annotations

import socket
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from devinit.errors import ProviderError
from devinit.kinds.docker.body import LOOPBACK, PROJECT
from devinit.kinds.docker.engine import Engine, EngineAway, Refused, quoted
from devinit.kinds.docker.images import NOT_FOUND
from devinit.system.file_lock import FileLock
from devinit.system.files import LARGEST_SETTINGS, read_text, write_atomically

RELAYS = "relays.json"
LOCK = "network.lock"
"""A lock so that only one network is created, by the supervisor or by the process of a container."""


class Network(Struct, frozen=True, kw_only=True):
    """A network as the engine has created it."""

    name: str
    gateway: str = ""
    """The address of this machine in it; empty if this machine has none, because the engine runs elsewhere."""
    subnet: str = ""


def have_network(engine: Engine, name: str, labels: dict[str, str], folder: Path) -> Network:
    """Create the network of a checkout if it is missing. Raise ProviderError for one of another owner.

    `folder`: the folder of its containers' records. An engine that gets two requests at once creates two networks
    with one name.
    """
    with FileLock(folder / LOCK):
        found = network_of(engine, name)
        if found is None:
            try:
                engine.ask("POST", "/networks/create", order_of(Network(name=name), labels))
            except Refused as error:
                if "pool" not in error.words:
                    raise
                raise ProviderError(
                    f"the container engine has no addresses left for another network: {error.words}",
                    hint="`docker network prune` removes networks that no container uses",
                ) from error
            found = network_of(engine, name) or {}
    if (found.get("Labels") or {}).get(PROJECT) != labels[PROJECT]:
        raise ProviderError(
            f"the network {name} was not made for this checkout",
            hint=f"`docker network rm {name}` removes it, if it is not needed",
        )
    places = [
        each for each in (found.get("IPAM") or {}).get("Config") or () if ":" not in each.get("Subnet", ":")
    ]
    gateway = places[0].get("Gateway", "") if places else ""
    if not gateway or not free_at(gateway, 0):
        return Network(name=name)
    return Network(name=name, gateway=gateway, subnet=places[0]["Subnet"])


def have_relays(gateway: str, ports: Collection[int], folder: Path) -> dict[int, int]:
    """Return the gateway's port that relays each of these ports: the same as before, if that is free."""
    if not gateway or not ports:
        return {}
    with FileLock(folder / LOCK):
        text = read_text(folder / RELAYS, most=LARGEST_SETTINGS)
        try:
            known = {} if text is None else msgspec.json.decode(text, type=dict[int, int])
        except (msgspec.DecodeError, RecursionError):
            known = {}
        found = {port: free_at(gateway, known.get(port, 0)) or free_at(gateway, 0) for port in sorted(ports)}
        if not found.items() <= known.items():
            content = msgspec.json.encode(known | found)
            write_atomically(folder / RELAYS, content, mode=0o600, durable=False)
    return found


def free_at(address: str, port: int) -> int:
    """Return the port on which our relays may listen there, or any free one for 0; 0 if another program does."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


def remove_network(engine: Engine, name: str) -> None:
    """Remove a network that no container uses any more."""
    with suppress(EngineAway, Refused):
        engine.ask("DELETE", f"/networks/{quoted(name)}")


def order_of(network: Network, labels: dict[str, str]) -> dict[str, Any]:
    """Return the request to create a network, at its addresses if known. Pure. Any: the engine's own form."""
    return {
        "Name": network.name,
        "Driver": "bridge",
        "Labels": labels,
        "Options": {"com.docker.network.bridge.host_binding_ipv4": LOOPBACK},
        "IPAM": {
            "Config": [{"Subnet": network.subnet, "Gateway": network.gateway}] if network.subnet else []
        },
    }


def network_of(engine: Engine, name: str) -> dict[str, Any] | None:
    """Return the engine's description of a network; None when it is missing. Any: the engine's own form."""
    try:
        found: dict[str, Any] = engine.ask("GET", f"/networks/{quoted(name)}")
    except Refused as error:
        if error.status == NOT_FOUND:
            return None
        raise
    return found
