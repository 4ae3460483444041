"""Any command as a service."""

from __future__ import annotations

import os

import msgspec

from devinit.errors import ServiceError
from devinit.kinds.command import command_spec
from devinit.kinds.process.installing import (
    install_for_program,
    install_of,
    install_of_declared,
    may_lack_packages,
)
from devinit.kinds.process.missing_tools import missing_tool, path_of, stand_in_for
from devinit.kinds.process.updating import update_of
from devinit.kinds.process.versions import refusal_of
from devinit.kinds.provider import Install, Notes, Place, Say, WebProvider
from devinit.model.launcher import is_job_worker
from devinit.model.process import ProcessSpec
from devinit.model.service import Endpoint, Service, StopPolicy, StopTarget

JOB_SECONDS = 30.0
"""How long a worker may take to finish its current job, unless the service states otherwise."""


class ProcessProvider(WebProvider):
    """The provider of the service's own command."""

    def takes_long(self, service: Service, place: Place) -> bool:
        """Return whether an interpreter has to be asked for a module."""
        return not service.setup and may_lack_packages(service, place)

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Refuse a project whose packages are clearly not installed, with the command that installs them."""
        del say
        path = path_of(service, place) if service.command and service.external_url is None else ""
        if (install := self._lacking(service, place, path)) is not None:
            raise ServiceError(install.missing, hint=install.advice)
        stand_in = stand_in_for(service, place, path)
        return () if stand_in is None else (stand_in.note,)

    def lacking(self, service: Service, place: Place) -> Install | None:
        """Return how to install the packages without which a service without `setup` cannot start."""
        path = path_of(service, place) if service.command and service.external_url is None else ""
        return self._lacking(service, place, path)

    def _lacking(self, service: Service, place: Place, path: str) -> Install | None:
        if service.command is None or service.external_url is not None:
            return None
        if (refusal := refusal_of(service, place)) is not None:
            return refusal
        install = None if service.setup else install_of(service, place)
        # An earlier command may install the program itself, and PATH may be the service's own.
        may_come = bool(service.setup or service.before_start) or "PATH" in service.env
        if install is None:
            return None if may_come else missing_tool(service, place, path)
        if may_come and install_for_program(service, place) is not None:
            return None
        return install

    def install(self, service: Service, place: Place) -> Install | None:
        """Return how to install the packages of a Python or Node project, if they are missing or wrong."""
        refusal = refusal_of(service, place)
        if refusal is not None and not refusal.is_by_hand:
            return refusal
        return install_of(service, place) or install_of_declared(service, place)

    def update(self, service: Service, place: Place) -> Install | None:
        """Return how to update the packages of a Python or Node project, if its files are newer."""
        return update_of(service, place)

    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return the command, with the project's own tools first in PATH."""
        del endpoint
        if service.external_url is not None:
            return None
        spec = command_spec(_command(service), service, place, environment)
        path = spec.environment.get("PATH", os.defpath)
        if (stand_in := stand_in_for(service, place, path)) is not None:
            return command_spec(stand_in.command, service, place, environment)
        if (tool := missing_tool(service, place, path)) is not None:
            raise ServiceError(tool.missing, hint=tool.advice)
        if not service.setup and "VIRTUAL_ENV" not in spec.environment:
            install = install_for_program(service, place, path)
            if install is not None:
                raise ServiceError(install.missing, hint=install.advice)
        return spec

    def stop(self, service: Service) -> StopPolicy:
        """Return TERM, five seconds, then KILL, unless the service states otherwise.

        A worker of Celery or RQ finishes its current job if only its main process gets the signal.
        """
        if not is_job_worker(service.command or ""):
            return service.stop or StopPolicy()
        stated = service.stop or StopPolicy(grace_seconds=JOB_SECONDS)
        return stated if stated.to is not None else msgspec.structs.replace(stated, to=StopTarget.MAIN)


def _command(service: Service) -> str:
    if service.command is None:
        raise ServiceError(
            f"{service.name} has no command", hint=f"set services.{service.name}.command in devinit.toml"
        )
    return service.command
