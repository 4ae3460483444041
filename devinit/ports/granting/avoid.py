"""Ports that are free and still a bad choice. Pure."""

from __future__ import annotations

from devinit.model.port import PortRequest

# https://fetch.spec.whatwg.org/#port-blocking: Chrome, Firefox and Safari show ERR_UNSAFE_PORT.
BROWSER_UNSAFE_PORTS = frozenset(
    {
        0,
        1,
        7,
        9,
        11,
        13,
        15,
        17,
        19,
        20,
        21,
        22,
        23,
        25,
        37,
        42,
        43,
        53,
        69,
        77,
        79,
        87,
        95,
        101,
        102,
        103,
        104,
        109,
        110,
        111,
        113,
        115,
        117,
        119,
        123,
        135,
        137,
        139,
        143,
        161,
        179,
        389,
        427,
        465,
        512,
        513,
        514,
        515,
        526,
        530,
        531,
        532,
        540,
        548,
        554,
        556,
        563,
        587,
        601,
        636,
        989,
        990,
        993,
        995,
        1719,
        1720,
        1723,
        2049,
        3659,
        4045,
        4190,
        5060,
        5061,
        6000,
        6566,
        6665,
        6666,
        6667,
        6668,
        6669,
        6679,
        6697,
        10080,
    }
)
# fmt: on

AIRPLAY_PORTS = frozenset([5000, 7000])
"""On macOS the AirPlay receiver listens on them, and launchd restarts it when it is killed."""


def reason_to_avoid(request: PortRequest, port: int, *, ephemeral: range, macos: bool = False) -> str | None:
    """Return why a free port should not be taken, or None; a strict request always gets its port."""
    if request.strict:
        return None
    if request.browser and port in BROWSER_UNSAFE_PORTS:
        return "unsafe: browsers refuse to open it"
    if macos and port in AIRPLAY_PORTS:
        return "used by the AirPlay receiver of macOS"
    # While the service is down, the kernel may give such a port to any outgoing connection. A service that prefers
    # a port in this range has accepted that, so its neighbours are no worse.
    if port in ephemeral and port != request.preferred and request.preferred not in ephemeral:
        return "in the kernel's range for outgoing connections"
    return None
