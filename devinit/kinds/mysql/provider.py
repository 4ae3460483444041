"""MySQL or MariaDB as a service: own data, own role and databases, the server in the foreground."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from devinit.errors import DevinitError, ProviderError
from devinit.kinds.mysql import installation
from devinit.kinds.mysql.kind import MysqlSettings
from devinit.kinds.mysql.protocol import judge
from devinit.kinds.mysql.statements import statements
from devinit.kinds.occupants import refuse_use_elsewhere, works_in
from devinit.kinds.password import in_url, kept_password, stated_password
from devinit.kinds.programs import Program, already_running, make_private, recall, unchanged, unusable
from devinit.kinds.provider import Notes, Place, Provider, Say, Stated, reachable
from devinit.model.names import variable_prefix
from devinit.model.probe import ExchangeProbe, Probe
from devinit.model.process import ProcessSpec
from devinit.model.service import RANDOM_PASSWORD, Endpoint, Service, StopPolicy
from devinit.system.files import LARGEST_SETTINGS, read_bytes, write_atomically

DATA_NAME = re.compile(r"(?:mariadb|mysql)\d+")
PID_FILE, SOCKET = "server.pid", "server.sock"
"""Relative to the data folder: the path of a socket has at most 107 bytes, and the server runs in that folder."""
STATEMENTS = "begin.sql"
"""Beside the data folders."""
LONGEST_PID = 7
STOP = StopPolicy(signal="TERM", grace_seconds=30.0)


class MysqlProvider(Provider):
    """Runs a MariaDB or MySQL that belongs to the checkout."""

    def settled(self, service: Service, place: Place, stated: Stated) -> Service:
        """Return the service with its password: the configured one, or else a random one that is kept."""
        settings = service.settings_as(MysqlSettings)
        if settings is None:
            return service
        password = settings.password
        if password is not None and password.startswith("${"):
            password = stated_password(password, stated(), place.environment)
        if password in (None, RANDOM_PASSWORD):
            password = kept_password(place.data / (service.data_of or service.name))
        return replace(service, settings=replace(settings, password=password))

    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return address, user, password and database: never `localhost`, which means a socket to its clients."""
        host, settings, url = _host(service), _settings(service), service.external_url
        if url is not None:
            from devinit.kinds.external import address_of  # rare, and urllib.parse costs 3 ms

            address = address_of(url, service.name)
            host, port = address.host, address.port
        elif port is not None:
            url = _url(settings, host, port)
        name = variable_prefix(service.name)
        values = {
            f"{name}_HOST": host,
            f"{name}_PORT": "" if port is None else str(port),
            f"{name}_USER": settings.user,
            f"{name}_PASSWORD": settings.secret,
            f"{name}_DATABASE": settings.database,
        }
        if url is not None:
            values |= {f"{name}_URL": url, f"{name}_DATABASE_URL": url}
            if port is not None and settings.test_database is not None:
                tests = replace(settings, database=settings.test_database)
                values[f"{name}_TEST_DATABASE_URL"] = _url(tests, host, port)
        return Endpoint(
            service=service.name, host=host, port=port, url=url, variables=values, aliases=service.port_env
        )

    def has_data(self, name: str, place: Place) -> bool:
        """Return whether there is a folder of a server's files."""
        return bool(_existing(place.data / name))

    def takes_long(self, service: Service, place: Place) -> bool:
        """Return whether a program has still to be chosen, or data to be made."""
        if service.external_url is not None:
            return False
        with suppress(DevinitError):
            program, folder = _prepared(service, place)
            return not (unchanged(program) and folder.is_dir())
        return True

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Choose the program, make its data if there is none, and write what it begins with."""
        if service.external_url is not None:
            return ()
        home = place.data / service.name
        moved = _with_former_data(service, place)
        program = installation.choose(service, place, home, _existing(home), say)
        folder = home / installation.data_name(program)
        make_private(home)
        write_atomically(home / STATEMENTS, statements(_settings(service)), mode=0o600, durable=False)
        refuse_use_elsewhere(folder, program.title)
        if not folder.is_dir():
            say(f"making the data of {program.title}")
            installation.make(folder, program, place)
            from devinit.kinds.former import left_behind  # once for each checkout

            return (*moved, *left_behind(service, place))
        _refuse_second_server(folder, program)
        if missing := _lacking(folder):
            raise ProviderError(
                f"the data of {program.title} in {folder} is incomplete: {missing}",
                hint="nothing was changed; bring it back from a backup, or move the folder away to begin with "
                "empty data",
            )
        return moved

    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return the server in the foreground."""
        if service.external_url is not None:
            return None
        program, folder = _prepared(service, place)
        # A server does not start with an option of the other one. MySQL's X protocol would take a second port.
        own = ("--skip-mysqlx",) if program.flavour == "mysql" else ("--log-warnings=1", installation.SMALL)
        return ProcessSpec(
            argv=(
                program.file,
                # Option files such as /etc/mysql belong to another server.
                "--no-defaults",
                f"--datadir={folder}",
                f"--port={endpoint.port}",
                f"--bind-address={service.host if service.host != 'localhost' else '127.0.0.1'}",
                f"--socket={SOCKET}",
                f"--pid-file={PID_FILE}",
                f"--tmpdir={folder}",
                f"--init-file={folder.with_name(STATEMENTS)}",
                "--skip-name-resolve",
                *installation.as_user(),
                *own,
            ),
            directory=folder,
            environment={**environment, "LC_ALL": "C"},
            data=folder,
        )

    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return a probe for the server's greeting: it accepts no client before its statements have run."""
        del service, place
        return ExchangeProbe(host=endpoint.host, port=endpoint.port or 0, request=b"", judge=judge)

    def clients(self, service: Service, place: Place) -> tuple[Path, ...]:
        """Return the folder of the client that belongs to the server."""
        with suppress(DevinitError):
            above = _prepared(service, place)[0].folder.parent
            return tuple(
                folder
                for folder in (above / "bin", above / "sbin")
                if any((folder / name).is_file() for name in ("mariadb", "mysql"))
            )[:1]
        return ()

    def data(self, service: Service, place: Place) -> Path | None:
        """Return the folder of the server's files."""
        if service.external_url is None:
            with suppress(DevinitError):
                return _prepared(service, place)[1]
        return None

    def loss(self, service: Service, place: Place, process_id: int | None) -> str:
        """Return whether the data folder was replaced or lacks a necessary part, as a message; empty if not."""
        if service.external_url is not None:
            return ""
        from devinit.kinds.loss import loss_of  # rarely needed

        return loss_of(service.name, self.data(service, place), process_id, _lacking)

    def stop(self, service: Service) -> StopPolicy:
        """Return TERM: it ends its sessions, writes everything and exits with 0."""
        return service.stop or STOP


def _settings(service: Service) -> MysqlSettings:
    if service.external_url is not None:
        from devinit.kinds.external import address_of  # rare, and urllib.parse costs 3 ms

        address = address_of(service.external_url, service.name)
        return MysqlSettings(database=address.path, user=address.user, password=address.password)
    settings = service.settings_as(MysqlSettings)
    return settings or MysqlSettings(database=service.name, user=service.name)


def _host(service: Service) -> str:
    host = reachable(service.host)
    return "127.0.0.1" if host == "localhost" else host


def _url(settings: MysqlSettings, host: str, port: int) -> str:
    account = f"{in_url(settings.user)}:{in_url(settings.secret)}"
    address = f"[{host}]" if ":" in host else host
    return f"mysql://{account}@{address}:{port}/{in_url(settings.database)}"


def _existing(home: Path) -> frozenset[str]:
    try:
        return frozenset(entry.name for entry in home.iterdir() if DATA_NAME.fullmatch(entry.name))
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise unusable(home, error) from error


def _with_former_data(service: Service, place: Place) -> Notes:
    """Move the data of the service's former name to its present one, unless that already has data."""
    former, home = service.data_of, place.data / service.name
    if former is None or _existing(home):
        return ()
    from devinit.kinds.former import take_over  # few services get another name

    before = place.data / former
    return take_over(service, [(before, home)], [before / name for name in _existing(before)], "MySQL")


def _prepared(service: Service, place: Place) -> tuple[Program, Path]:
    home = place.data / service.name
    choice = recall(home)
    if choice is None:
        raise ProviderError(f"the data of {service.name} disappeared from {home}", hint="start it again")
    return choice.program, home / installation.data_name(choice.program)


def _lacking(folder: Path) -> str:
    """Return a missing part of the data without which the server begins anew or fails; empty if complete."""
    return next((name for name in ("ibdata1", "mysql") if not (folder / name).exists()), "")


def _refuse_second_server(folder: Path, program: Program) -> None:
    text = (read_bytes(folder / PID_FILE, most=LARGEST_SETTINGS) or b"").strip()
    if text.isdigit() and len(text) <= LONGEST_PID and works_in(int(text), folder):
        raise already_running(folder, program.title, int(text), "TERM")
