"""The validated parameters of each method of the wire."""

from __future__ import annotations

from devinit.control import messages as wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    import msgspec

PARAMETERS: dict[str, type[msgspec.Struct]] = {
    "start": wire.StartParams,
    "restart": wire.StartParams,
    "stop": wire.StopParams,
    "status": wire.StatusParams,
    "environment": wire.EnvironmentParams,
    "why": wire.ServiceParams,
    "inspect": wire.ServiceParams,
    "who": wire.PortParams,
    "choose_port": wire.ChooseParams,
    "forget_ports": wire.ServicesParams,
    "free_port": wire.FreeParams,
}
