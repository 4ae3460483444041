"""Descriptions of probes in words: what readiness means for a service. Pure."""

from __future__ import annotations

from devinit.model.probe import (
    EndProbe,
    ExchangeProbe,
    ExecProbe,
    HttpProbe,
    LogProbe,
    LookProbe,
    Probe,
    StayedUpProbe,
    TcpProbe,
)


def describe_probe(probe: Probe) -> str:
    """Describe what readiness means for a service."""
    match probe:
        case TcpProbe(host, port):
            return f"accepts connections on {address(host, port)}"
        case HttpProbe():
            return f"GET {probe.scheme}://{probe.named}{probe.path} succeeds"
        case ExecProbe(command):
            return f"`{command}` exits with 0"
        case LogProbe(pattern):
            return f"its output matches {pattern!r}"
        case StayedUpProbe(seconds):
            return f"it has stayed up for {seconds:g} s"
        case EndProbe():
            return "never: it is done when it has ended with code 0"
        case ExchangeProbe(host=host, port=port):
            return f"answers its own protocol on {address(host, port)}"
        case LookProbe():
            return "its container says so"


def address(host: str, port: int) -> str:
    """Return host and port in their usual notation, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
