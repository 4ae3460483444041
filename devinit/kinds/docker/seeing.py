"""Observation of a container from outside: whether its program listens and is well, and what it uses."""

from __future__ import annotations

import socket

from devinit.kinds.docker.engine import Engine, EngineAway, Refused
from devinit.kinds.docker.record import Record
from devinit.model.probe import ProbeResult, ProbeVerdict
from devinit.system.contained import listeners_of, usage_of_group
from devinit.system.usage import Usage

LOOPBACK_IN_HEX = "00000000000000000000000001000000"
"""::1 in the notation of /proc."""
FIRST_BYTE_SECONDS = 0.3
"""An engine's proxy that finds no program closes the connection earlier (measured: 4 ms, with Podman 190 ms)."""
SHOWN = 3


def listens(record: Record, inside: int, host: str, port: int) -> ProbeResult:
    """Return whether the program listens in its container, at an address that the engine reaches."""
    if not record.pid:
        waits = "its container engine does not answer" if record.away else "its container does not run yet"
        return ProbeResult(ProbeVerdict.NOT_YET, waits)
    found = listeners_of(record.pid)
    if found is None:
        return answers(host, port)
    addresses = [address for address, number in found if number == inside]
    if not all(map(is_loopback, addresses)):
        return ProbeResult(ProbeVerdict.READY)
    if addresses:
        return ProbeResult(
            ProbeVerdict.NOT_YET,
            f"in its container it listens on 127.0.0.1:{inside} alone, where the engine does not reach it: let it "
            "listen on 0.0.0.0",
        )
    others = sorted({number for address, number in found if not is_loopback(address)})
    if others:
        ports = ", ".join(map(str, others[:SHOWN]))
        return ProbeResult(
            ProbeVerdict.NOT_YET,
            f"in its container it listens on {ports} instead of {inside}: set `container_port`",
        )
    return ProbeResult(ProbeVerdict.NOT_YET, f"nothing listens on port {inside} in its container yet")


def is_loopback(address: str) -> bool:
    """Return whether an address in /proc is reachable only in its container: 127.0.0.11 is the engine's DNS."""
    return address == LOOPBACK_IN_HEX or (len(address) == len("0100007F") and address.endswith("7F"))


def answers(host: str, port: int) -> ProbeResult:
    """Return whether a connection to a container in a virtual machine stays open."""
    try:
        with socket.create_connection((host, port), timeout=FIRST_BYTE_SECONDS) as connection:
            if not connection.recv(1):
                return ProbeResult(
                    ProbeVerdict.NOT_YET, "its engine accepts connections, its program does not"
                )
    except TimeoutError:
        pass  # it waits for our request
    except OSError as error:
        return ProbeResult(ProbeVerdict.NOT_YET, error.strerror or str(error))
    return ProbeResult(ProbeVerdict.READY)


def health(path: str, record: Record) -> ProbeResult:
    """Return the last result of the image's own HEALTHCHECK."""
    try:
        state = Engine(path).ask("GET", f"/containers/{record.id}/json")["State"] if record.id else {}
    except (EngineAway, Refused) as error:
        return ProbeResult(ProbeVerdict.NOT_YET, str(error))
    found = state.get("Health")
    if found is None:
        return ProbeResult(
            ProbeVerdict.NOT_YET,
            "its image has no HEALTHCHECK: leave `image_healthcheck` out, and use `ready`",
        )
    if found["Status"] == "healthy":
        return ProbeResult(ProbeVerdict.READY)
    said = [each.get("Output", "").strip() for each in found.get("Log") or ()]
    return ProbeResult(
        ProbeVerdict.NOT_YET,
        f"its HEALTHCHECK says {found['Status']}: {said[-1][:200]}"
        if said
        else f"its HEALTHCHECK says {found['Status']}",
    )


def usage(record: Record) -> Usage | None:
    """Return the usage of a container's control group; None if it is not visible from here."""
    return usage_of_group(record.pid, record.id[:12]) if record.pid and record.id else None
