"""Storing an answer about a taken port permanently, as `on_conflict` of the service in devinit.toml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from devinit.config.edit import with_key
from devinit.errors import DevinitError
from devinit.model.names import CONFIGURATION_FILE
from devinit.system.files import read_text, write_atomically
from devinit.toml import parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "on_conflict"


def can_pin(root: str) -> bool:
    """Whether the project has a file in which an answer can be stored."""
    return (Path(root) / CONFIGURATION_FILE).exists()


def keep(root: str, pins: Mapping[str, str], profile: str | None) -> list[str]:
    """Store answers, and return messages about that; the start for which they were given is over."""
    said = []
    path = Path(root) / CONFIGURATION_FILE
    for service, policy in pins.items():
        line = f'{KEY} = "{policy}"'
        try:
            written = pin(path, service, policy, profile)
        except (DevinitError, OSError, ValueError) as error:
            said.append(f"{line} for {service} was not kept: {error}")
            continue
        if written:
            said.append(f"{path.name}: {line} for {service}; remove it to be asked again")
        else:
            said.append(f"{path.name} was left as it is: add {line} to the table of {service} yourself")
    return said


class Pins:
    """The permanent answers of one project, for a program that asks about several starts."""

    def __init__(self, root: Path, profile: str | None) -> None:
        self._root = str(root)
        self._profile = profile

    def can_keep(self) -> bool:
        """Whether the project has a file in which an answer can be stored."""
        return can_pin(self._root)

    def keep(self, answers: Mapping[str, str]) -> list[str]:
        """Store answers, and return messages about that."""
        return keep(self._root, answers, self._profile)


def pin(path: Path, service: str, policy: str, profile: str | None) -> bool:
    """Set the policy of a service; return False if the layout of the file permits no automatic edit."""
    text = read_text(path)
    if text is None:
        return False
    changed = with_key(text, table_of(parse_toml(text), service, profile), KEY, policy)
    if changed is None:
        return False
    # read_text() removes a byte order mark, which is not needed.
    mode = path.stat().st_mode & 0o777
    write_atomically(path, changed, mode=mode, inside=path.parent, keeps_owner=True)
    return True


def table_of(document: dict[str, Any], service: str, profile: str | None) -> tuple[str, ...]:
    """Return the table for the policy: the profile's, if that sets the key and so overrides the service's own."""
    services = document.get("profiles", {}).get(profile, {}).get("services", {}) if profile else {}
    own = ("services", service)
    return ("profiles", profile, *own) if profile and KEY in services.get(service, {}) else own
