"""Redis as a service: its own data, all writes kept through a crash, the server in the foreground."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from devinit.errors import DevinitError, ProviderError
from devinit.kinds.occupants import refuse_use_elsewhere, works_in
from devinit.kinds.password import in_url, kept_password, stated_password
from devinit.kinds.programs import Program, already_running, make_private, recall, unchanged, unusable
from devinit.kinds.provider import Notes, Place, Provider, Say, Stated, listen_addresses, reachable
from devinit.kinds.redis import installation
from devinit.kinds.redis.kind import RedisSettings
from devinit.kinds.redis.resp import command
from devinit.model.names import variable_prefix
from devinit.model.probe import ExchangeProbe, Probe, ProbeResult, ProbeVerdict
from devinit.model.process import ProcessSpec
from devinit.model.running import RunningServer
from devinit.model.service import RANDOM_PASSWORD, Endpoint, Service, StopPolicy
from devinit.system.files import LARGEST_SETTINGS, read_bytes, read_text, write_atomically

PING = command("PING")
DATA_NAME = re.compile(r"(?:redis|valkey)\d+")
PID_FILE = "server.pid"
ACL_FILE = "users.acl"
"""The ACL file, next to the data folders."""
WAS_READY = "ready-once"
"""A file next to the data folders with the name of the one on which a server was ready; its files must exist."""
LONGEST_PID = 7
"""In digits. A file may contain anything, but no process has a pid above 2^22."""
NOT_YET = (b"-LOADING", b"-MASTERDOWN", b"-BUSY")
"""The server reads its data, or a script keeps it busy."""
LOGGED_IN = b"+OK\r\n"
WRONG_PASSWORD = (b"-WRONGPASS", b"-ERR AUTH")
CLIENTS = ("redis-cli", "valkey-cli")
STOP = StopPolicy(signal="TERM", grace_seconds=10.0)


class RedisProvider(Provider):
    """The provider of a Redis or Valkey that belongs to the checkout."""

    def settled(self, service: Service, place: Place, stated: Stated) -> Service:
        """Return the service with the password that it requests: a random one, or that of a variable.

        Code with a constant `redis://localhost:6379` has no password, so none is added unasked.
        """
        settings = service.settings_as(RedisSettings)
        password = None if settings is None else settings.password
        if settings is None or password is None:
            return service
        if password.startswith("${"):
            password = stated_password(password, stated(), place.environment)
        if password in (None, RANDOM_PASSWORD):
            password = kept_password(place.data / (service.data_of or service.name))
        return replace(service, settings=replace(settings, password=password))

    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return the address and the URL of database 0."""
        host, url, password = reachable(service.host), service.external_url, _password(service)
        if url is not None:
            from devinit.kinds.external import address_of  # rare, and urllib.parse costs 3 ms

            address = address_of(url, service.name)
            host, port = address.host, address.port
        elif port is not None:
            # With the name of the user: redis-cli 7 takes an empty name for a user without a name.
            login = f"default:{in_url(password)}@" if password else ""
            url = f"redis://{login}{f'[{host}]' if ':' in host else host}:{port}/0"
        name = variable_prefix(service.name)
        variables = {f"{name}_HOST": host, f"{name}_PORT": "" if port is None else str(port)}
        if password:
            variables[f"{name}_PASSWORD"] = password
        if url is not None:
            variables[f"{name}_URL"] = url
        return Endpoint(
            service=service.name, host=host, port=port, url=url, variables=variables, aliases=service.port_env
        )

    def has_data(self, name: str, place: Place) -> bool:
        """Return whether there is a folder with a server's files."""
        return bool(_existing(place.data / name))

    def takes_long(self, service: Service, place: Place) -> bool:
        """Return whether a program must be chosen, for the first time or again."""
        if service.external_url is not None:
            return False
        with suppress(DevinitError):
            program, folder = _prepared(service, place)
            return not (unchanged(program) and folder.is_dir())
        return True

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Choose the program, and create its folder or check that all of its files exist."""
        if service.external_url is not None:
            return ()
        home = _home(service, place)
        moved = _with_former_data(service, place)
        program = installation.choose(service, place, home, _existing(home), say)
        folder = home / installation.data_name(program)
        from devinit.kinds.redis import acl, intact  # not before a server is started

        refuse_use_elsewhere(folder, program.title)
        if password := _password(service):
            acl.write(home / ACL_FILE, password, program)
        if not folder.is_dir():
            _begin(folder)
            from devinit.kinds.former import left_behind  # once for each checkout

            return (*moved, *_of_others(service), *left_behind(service, place))
        _refuse_second_server(folder, program)
        intact.check(folder, program, was_ready=_was_ready(folder))
        return moved

    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return the server in the foreground."""
        if service.external_url is not None:
            return None
        program, folder = _prepared(service, place)
        users = ("--aclfile", str(folder.with_name(ACL_FILE))) if _password(service) else ()
        return ProcessSpec(
            argv=(
                str(program.path),
                *("--port", str(endpoint.port)),
                *("--bind", *listen_addresses(service.host)),
                *("--dir", str(folder)),
                # It takes no lock on its data; this file makes a second server on the same data recognisable.
                *("--pidfile", str(folder / PID_FILE)),
                # Two words on purpose: Redis 6.2 silently ignores "60 1" as one, and saves nothing.
                *("--save", "60", "1"),
                # With snapshots alone, a kill loses the last minute. This must never be switched by a flag once
                # there is data: a server that is started with it reads nothing but the append-only file.
                *("--appendonly", "yes", "--appendfsync", "everysec"),
                *("--daemonize", "no"),
                *users,
            ),
            directory=folder,
            # A LC_ALL or LANG that is not installed makes Redis 7 and Valkey exit.
            environment={**environment, "LC_ALL": "C"},
            data=folder,
        )

    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return a PING: a server that still reads its data does not answer PONG.

        If there is a password, a login comes first: otherwise the server only answers that it wants one.
        """
        del place
        request, password = PING, _password(service)
        if password and service.external_url is None:
            request = command("AUTH", password) + PING
        return ExchangeProbe(host=endpoint.host, port=endpoint.port or 0, request=request, judge=judge)

    def is_provisioned(self, service: Service, place: Place) -> bool:
        """Return whether a server is recorded as having been ready on the data."""
        return service.external_url is not None or _was_ready(_prepared(service, place)[1])

    def provision(self, service: Service, endpoint: Endpoint, place: Place, say: Say) -> Notes:
        """Record that a server was ready on the data: from now on, its files must exist."""
        del endpoint, say
        if service.external_url is None:
            folder = _prepared(service, place)[1]
            # A power failure may lose this record: a loss of files is then detected only by the remaining files.
            write_atomically(folder.with_name(WAS_READY), f"{folder.name}\n", mode=0o600, durable=False)
        return ()

    def clients(self, service: Service, place: Place) -> tuple[Path, ...]:
        """Return the folder of the server if it contains redis-cli or valkey-cli; the wheel contains neither."""
        with suppress(DevinitError):
            folder = _prepared(service, place)[0].folder
            return (folder,) if any((folder / name).is_file() for name in CLIENTS) else ()
        return ()

    def running(self, service: Service, endpoint: Endpoint) -> RunningServer | None:
        """Ask the running server for its identity, and whether it accepts the project."""
        from devinit.kinds.redis.inquiry import ask  # only a taken port needs it
        from devinit.kinds.running import ask_running

        return ask_running(endpoint, partial(ask, needs_password=bool(_password(service))))

    def data(self, service: Service, place: Place) -> Path | None:
        """Return the folder of the server's files."""
        if service.external_url is None:
            with suppress(DevinitError):
                return _prepared(service, place)[1]
        return None

    def loss(self, service: Service, place: Place, process_id: int | None) -> str:
        """Return a message if the folder was replaced, or lacks the file that the server reads first."""
        if service.external_url is not None:
            return ""
        from devinit.kinds.loss import loss_of  # nothing waits for this, as below
        from devinit.kinds.redis.intact import keeps_several, lacking_while_it_runs

        def lacking(folder: Path) -> str:
            program = _prepared(service, place)[0]
            return lacking_while_it_runs(folder, several=keeps_several(program))

        return loss_of(service.name, self.data(service, place), process_id, lacking)

    def stop(self, service: Service) -> StopPolicy:
        """Return TERM: the server writes its data and exits with 0."""
        return service.stop or STOP


def judge(answer: bytes) -> ProbeResult:
    """Return the result of the answer to a PING."""
    # With a login, its answer comes first; only the answer to the following PING counts.
    answer = answer.removeprefix(LOGGED_IN)
    text = answer.partition(b"\r\n")[0].decode(errors="replace")
    if not answer:
        return ProbeResult(ProbeVerdict.NOT_YET, "it does not answer a PING")
    if answer.startswith(WRONG_PASSWORD):
        return ProbeResult(ProbeVerdict.REFUSED, "it has another password")
    if answer.startswith(NOT_YET):
        return ProbeResult(ProbeVerdict.NOT_YET, text.lstrip("-"))
    if answer.startswith(b"+PONG"):
        return ProbeResult(ProbeVerdict.READY)
    if answer.startswith(b"-"):
        # -NOAUTH: the server is up, and requires the password that the applications have.
        return ProbeResult(ProbeVerdict.READY, text.lstrip("-"))
    return ProbeResult(ProbeVerdict.REFUSED, "what answers there is not Redis")


def _password(service: Service) -> str | None:
    settings = service.settings_as(RedisSettings)
    return None if settings is None else settings.password


def _home(service: Service, place: Place) -> Path:
    return place.data / service.name


def _existing(home: Path) -> frozenset[str]:
    try:
        return frozenset(entry.name for entry in home.iterdir() if DATA_NAME.fullmatch(entry.name))
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise unusable(home, error) from error


def _with_former_data(service: Service, place: Place) -> Notes:
    """Move the data of a former name to the service's own, unless that already exists."""
    former, home = service.data_of, _home(service, place)
    if former is None or _existing(home):
        return ()
    from devinit.kinds.former import take_over  # few services get another name

    before = place.data / former
    return take_over(service, [(before, home)], [before / name for name in _existing(before)], "Redis")


def _prepared(service: Service, place: Place) -> tuple[Program, Path]:
    home = _home(service, place)
    choice = recall(home)
    if choice is None:
        raise ProviderError(f"the data of {service.name} disappeared from {home}", hint="start it again")
    return choice.program, home / installation.data_name(choice.program)


def _was_ready(folder: Path) -> bool:
    return (read_text(folder.with_name(WAS_READY)) or "").strip() == folder.name


def _begin(folder: Path) -> None:
    """Create the folder for new data."""
    try:
        folder.with_name(WAS_READY).unlink(missing_ok=True)
    except OSError as error:
        raise unusable(folder, error) from error
    make_private(folder)


def _of_others(service: Service) -> Notes:
    """Return a note if other people on this machine can read and change the data."""
    if _password(service):
        return ()
    from devinit.system.accounts import open_to, other_people  # only the first start asks

    others = other_people()
    return (f'{open_to(others)}; `password = "random"` keeps them out',) if others else ()


def _refuse_second_server(folder: Path, program: Program) -> None:
    # A named pipe in its place is refused here: the server would wait for its reader.
    text = (read_bytes(folder / PID_FILE, most=LARGEST_SETTINGS) or b"").strip()
    if text.isdigit() and len(text) <= LONGEST_PID and works_in(int(text), folder):
        raise already_running(folder, program.title, int(text), "TERM")
