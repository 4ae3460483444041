"""The port request of a service, from the configuration, the command, the environment and the last start. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.port import ConflictPolicy, PortRequest
from devinit.ports.granting.allocate import wishes_of
from devinit.ports.granting.overrides import Override, Overrides


class Wanted(Struct, frozen=True):
    """A port request with everything that its decision depends on."""

    request: PortRequest
    """Strict also if the policy, not the service, forbids a move."""
    policy: ConflictPolicy
    wishes: tuple[int, ...]
    strict: bool
    """Whether the service itself is strict."""
    override: Override | None
    """The port that only the environment requests; None if it is requested anyway."""
    insisted: frozenset[int]
    """Ports that the service gets although they are reserved for a stopped project: it has no port to move to, the
    user named the number, or holders are to be ended for it."""

    @classmethod
    def of(
        cls,
        request: PortRequest,
        policy: ConflictPolicy,
        stated: Overrides,
        remembered: Mapping[str, int],
        chosen: Mapping[str, int],
    ) -> Self:
        """Combine the configuration, the command, the environment and the last start.

        `chosen` are the remembered ports that the user chose.
        """
        override = stated.ports.get(request.service)
        policy = ConflictPolicy.FAIL if stated.skip_discovery else request.policy or policy
        wishes = wishes_of(
            request,
            override=override.port if override else None,
            remembered=None if stated.skip_discovery else remembered.get(request.service),
        )
        fails = policy is ConflictPolicy.FAIL
        named = {override.port} if override else set()
        if request.strict or policy in (ConflictPolicy.FAIL, ConflictPolicy.KILL):
            named.update(wishes)
        if request.service in chosen:
            named.add(chosen[request.service])
        return cls(
            request=replace(request, strict=request.strict or fails),
            policy=policy,
            wishes=wishes[:1] if fails else wishes,
            strict=request.strict,
            override=override if override and override.port not in (*wishes[1:], request.preferred) else None,
            insisted=frozenset(named),
        )


def moves_from_constant(wanted: Wanted) -> str:
    """Return a message if a variable moves a service away from a port that is a constant in its code, else ""."""
    if wanted.override is None or not wanted.request.fixed_by:
        return ""
    request, stated = wanted.request, f"{wanted.override.variable}={wanted.override.port}"
    return f"{stated} moves {request.service} away from {request.preferred}: {request.why_fixed}"


def with_what_fixes(advice: str, wanted: Wanted) -> str:
    """Return advice about the holder of a port, with the line of code that fixes the service to it."""
    if not advice or not wanted.request.fixed_by:
        return advice
    return f"{advice.removesuffix(', or choose another port')}; {wanted.request.why_fixed}"


def hint_for(wanted: Wanted) -> str:
    """Return advice for a request that must not move and cannot have its port."""
    if wanted.strict:
        way_out = "change that line" if wanted.request.fixed_by else "give the service another port"
        return f"its port is fixed ({wanted.request.why_fixed}): stop the holder, or {way_out}"
    if wanted.policy is ConflictPolicy.FAIL:
        return 'stop the holder, or let it move: on_conflict = "move", without SKIP_PORT_DISCOVERY'
    return "stop the holder, or choose another port"
