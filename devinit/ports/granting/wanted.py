"""What a service asks for: from the configuration, the command, the environment and the last start. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from devinit.model.port import ConflictPolicy, PortRequest
from devinit.ports.granting.allocate import wishes_of
from devinit.ports.granting.overrides import Override, Overrides


class Wanted(Struct, frozen=True):
    """A request with everything that decides about it."""

    request: PortRequest
    """Strict also when the policy, not the service, forbids to move."""
    policy: ConflictPolicy
    wishes: tuple[int, ...]
    strict: bool
    """The service itself is strict."""
    override: Override | None
    """What the environment alone asks for; None when it says what is wished for anyway."""
    insisted: frozenset[int]
    """Ports that it gets although they are reserved for a stopped project: it has no other one to move to, a
    person named the number, or holders are to be ended for it."""

    @classmethod
    def of(
        cls,
        request: PortRequest,
        policy: ConflictPolicy,
        stated: Overrides,
        remembered: Mapping[str, int],
        chosen: Mapping[str, int],
    ) -> Self:
        """Put together what the configuration, the command, the environment and the last start say.

        `chosen` are the remembered ports that were chosen by hand.
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
    """Say that a variable moves a service away from a port that code has as a constant; nothing otherwise."""
    if wanted.override is None or not wanted.request.fixed_by:
        return ""
    request, stated = wanted.request, f"{wanted.override.variable}={wanted.override.port}"
    return f"{stated} moves {request.service} away from {request.preferred}: {request.why_fixed}"


def with_what_fixes(advice: str, wanted: Wanted) -> str:
    """Return advice about the holder of a port, with the line of the code that keeps the service on it."""
    if not advice or not wanted.request.fixed_by:
        return advice
    return f"{advice.removesuffix(', or choose another port')}; {wanted.request.why_fixed}"


def hint_for(wanted: Wanted) -> str:
    """Return what helps when a request that must not move cannot have its port."""
    if wanted.strict:
        way_out = "change that line" if wanted.request.fixed_by else "give the service another port"
        return f"its port is fixed ({wanted.request.why_fixed}): stop the holder, or {way_out}"
    if wanted.policy is ConflictPolicy.FAIL:
        return 'stop the holder, or let it move: on_conflict = "move", without SKIP_PORT_DISCOVERY'
    return "stop the holder, or choose another port"
