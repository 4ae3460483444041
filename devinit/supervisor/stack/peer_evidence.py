"""Evidence why a service is connected to another server than the project's: the file or variable that names it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from devinit.errors import ConfigError
from devinit.supervisor.diagnosis.named_ports import advice_about, names_of, ports_meant
from devinit.supervisor.diagnosis.peers import Own, Server, wrong_servers
from devinit.supervisor.stack.fixed_addresses import given_to, said_of

if TYPE_CHECKING:
    from devinit.model.service import Service
    from devinit.model.status import WrongServer
    from devinit.sources.fixed.constant import Constant
    from devinit.supervisor.project.project_state import ProjectState


def explained(
    servers: Iterable[Server],
    own: Collection[Own],
    service: Service,
    constants: Collection[Constant],
    stage: ProjectState,
) -> list[WrongServer]:
    """Return the servers that were used unintentionally in place of the project's own, with evidence and advice.

    `constants`: the addresses in the service's code that devinit cannot change.
    """
    given = given_to(service, stage)
    meant = ports_meant(given) | ports_meant(_left_to_itself(service, stage))
    found = wrong_servers(servers, own, meant, stage.project.name)
    for wrong in found:
        evidence = _evidence(wrong, service, constants, stage)
        wrong["text"] = stage.mask(wrong["text"])
        wrong["advice"] = [
            stage.mask(line) for line in advice_about(service.name, wrong, given, dict.fromkeys(evidence))
        ]
    return found


def _left_to_itself(service: Service, stage: ProjectState) -> dict[str, str]:
    """Return the values in `.env` files whose names devinit must not give to the service."""
    names = {*service.left_out, *stage.project.left_out}
    try:
        files = stage.given.files_of(service, stage.caller) if names else {}
    except ConfigError:
        return {}
    return {name: each.value for name, each in files.items() if name in names}


def _evidence(
    wrong: WrongServer, service: Service, constants: Iterable[Constant], stage: ProjectState
) -> Iterator[str]:
    """Yield the constants and variables that name the other server, in words."""
    port = wrong["port"]
    for constant in constants:
        if constant.port == port and constant.kind == wrong["kind"]:
            yield said_of(constant, wrong["own_port"])
    for name, decision in stage.decisions_about(service.name).items():
        if port in ports_meant({name: decision.statement.value}) and not decision.is_form_only:
            why = f", which {decision.why}" if decision.why else ""
            yield f"{name} in {decision.statement.place} names port {port}{why}"
    for name in names_of(stage.caller, port):
        yield f"{name} of the shell in which it was started names port {port}"
