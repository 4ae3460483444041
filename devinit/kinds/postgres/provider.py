"""PostgreSQL as a service: its own cluster, role and database, and the server in the foreground."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from devinit.errors import ConfigError, DevinitError, ProviderError
from devinit.kinds.occupants import is_occupied, refuse_use_elsewhere
from devinit.kinds.password import in_url, kept_password, stated_password
from devinit.kinds.postgres import installation
from devinit.kinds.postgres.account import account_for
from devinit.kinds.postgres.cluster import (
    LOCK_FILE,
    SUPERUSER,
    clear_remains,
    clusters_of,
    create,
    is_starting,
    outside_home,
    place_home,
    server_environment,
    system_identifier,
    take_shared,
    taken_by_another,
)
from devinit.kinds.postgres.kind import LONGEST_IDENTIFIER, POSTGRES, PostgresSettings
from devinit.kinds.postgres.named import named_password
from devinit.kinds.postgres.protocol import judge, startup_message
from devinit.kinds.postgres.provisioning import (
    creation_of,
    has_been_provisioned,
    has_password,
    is_of_another_role,
    is_provisioned,
    missing,
    of_names,
    oid_of,
    provision,
    with_kept_names,
)
from devinit.kinds.programs import Program, recall, unchanged
from devinit.kinds.provider import Advice, Notes, Place, Provider, Say, Stated, listen_addresses, reachable
from devinit.model.names import variable_prefix
from devinit.model.probe import ExchangeProbe, Probe
from devinit.model.process import ProcessSpec
from devinit.model.running import RunningServer
from devinit.model.service import RANDOM_PASSWORD, Endpoint, Service, StopPolicy
from devinit.system.bounds import bounds_of

NEW_PASSWORD = "the role {role} has another password now: `devinit env` shows it"  # noqa: S105 - a sentence
STOP = StopPolicy(signal="INT", grace_seconds=10.0, kill=False)


class PostgresProvider(Provider):
    """The provider of a PostgreSQL that belongs to the checkout."""

    def with_kept_names(self, service: Service, place: Place) -> Service:
        """Return the service with the names in its data, unless others are stated."""
        settings = service.settings_as(PostgresSettings)
        if settings is None or not (settings.after_folder or settings.is_found):
            return service
        kept = with_kept_names(settings, clusters_of(service.data_of or service.name, place))
        return replace(service, settings=kept)

    def settled(self, service: Service, place: Place, stated: Stated) -> Service:
        """Return the service with the names in its data, unless others are stated, and with its password.

        The password is the configured one, else the one that files name, else a random one.
        """
        service = self.with_kept_names(service, place)
        settings = service.settings_as(PostgresSettings)
        if settings is None:
            return service
        password = settings.password
        if password is not None and password.startswith("${"):
            password = stated_password(password, stated(), place.environment)
        if password is None:
            password = named_password(variable_prefix(service.name), settings, stated())
        if password is None or settings.password == RANDOM_PASSWORD:
            password = kept_password(place_home(service.data_of or service.name, place))
        return replace(service, settings=replace(settings, password=password))

    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return address, user, password and database under the names that libraries and users expect."""
        host, settings, url = reachable(service.host), _settings(service), service.external_url
        if url is not None:
            from devinit.kinds.external import address_of  # rare, and urllib.parse costs 3 ms

            address = address_of(url, service.name)
            host, port = address.host, address.port
        elif port is not None:
            url = _url(settings, host, port)
        return Endpoint(
            service=service.name,
            host=host,
            port=port,
            url=url,
            variables=_variables(service, host, port, settings, url),
            aliases=service.port_env,
        )

    def has_data(self, name: str, place: Place) -> bool:
        """Return whether there is a cluster."""
        return bool(clusters_of(name, place))

    def takes_long(self, service: Service, place: Place) -> bool:
        """Return whether a program must be chosen, a cluster created, or a crash cleaned up."""
        if service.external_url is not None:
            return False
        with suppress(DevinitError):
            program, cluster = _prepared(service, place)
            return not unchanged(program) or (cluster / LOCK_FILE).exists()
        return True

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Choose the programs, create the cluster if there is none, and clean up after a crash."""
        if service.external_url is not None:
            return ()
        _check(service, _settings(service))
        home = place_home(service.name, place)
        if not clusters_of(service.name, place) and service.data_of is None:
            from devinit.kinds.former import left_behind  # once for each checkout

            taken = taken_by_another(service.name, place)
            return (*_begin(service, place, home, say), *left_behind(service, place), *taken)
        moved = _with_former_data(service, place)
        found = clusters_of(service.name, place)
        program = installation.choose(service, place, home, found, say)
        from devinit.kinds.postgres.intact import check  # not before a server is started

        cluster = found.get(program.major)
        if cluster is None:
            create(service.name, program, place, say)
            return moved
        check(cluster, program)
        account_for(cluster)
        refuse_use_elsewhere(cluster, program.title)
        clear_remains(cluster, say)
        take_shared(service.name, place)
        return (*moved, *of_names(service.name, _settings(service), cluster))

    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return the server itself in the foreground: with pg_ctl in between, its pid would not be known."""
        if service.external_url is not None:
            return None
        program, cluster = _prepared(service, place)
        account = account_for(cluster)
        return ProcessSpec(
            argv=(
                *account.prefix,
                str(program.path),
                *("-D", str(cluster)),
                *("-p", str(endpoint.port)),
                # No Unix socket: its path is limited to 107 bytes, and Debian's default folder is not ours.
                *("-k", ""),
                *("-c", f"listen_addresses={','.join(listen_addresses(service.host))}"),
                # Shown by ps, so that several servers can be told apart.
                *("-c", f"cluster_name={place.project}"),
            ),
            directory=cluster,
            environment=server_environment(environment),
            run_as=account.run_as,
            data=cluster,
        )

    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return the beginning of a login: only an answer in PostgreSQL's protocol means that the server is up."""
        settings = _settings(service)
        cluster = _cluster_in_use(service, place)
        return ExchangeProbe(
            host=endpoint.host,
            port=endpoint.port or 0,
            request=startup_message(settings.user, settings.database),
            judge=judge,
            is_starting=lambda: cluster is not None and is_starting(cluster),
            # No farewell: a login that breaks off is not logged, but a Terminate message in it is (as an error).
        )

    def is_provisioned(self, service: Service, place: Place) -> bool:
        """Return whether the role and the database were created and still exist."""
        if service.external_url is not None:
            return True
        return is_provisioned(_prepared(service, place)[1], _settings(service))

    def provision(self, service: Service, endpoint: Endpoint, place: Place, say: Say) -> Notes:
        """Create the role and the database, or change them to match the settings."""
        if self.is_provisioned(service, place):
            return ()
        settings = _settings(service)
        program, cluster = _prepared(service, place)
        client = installation.psql(program.path, place)
        if client is None:
            raise ProviderError(f"{service.name}: psql was not found", hint="install PostgreSQL's client")
        has_database = has_been_provisioned(cluster, settings)
        is_new_password = has_database and not has_password(cluster, settings)
        say(
            f"setting up the role {settings.user}"
            if is_new_password or is_of_another_role(cluster, settings)
            else creation_of(missing(cluster, settings))
        )
        provision(cluster, settings, endpoint, place, client)
        return (NEW_PASSWORD.format(role=settings.user),) if is_new_password else ()

    def clients(self, service: Service, place: Place) -> tuple[Path, ...]:
        """Return the folder of psql, which also contains pg_dump and the others."""
        with suppress(DevinitError):
            client = installation.psql(_prepared(service, place)[0].path, place)
            return () if client is None else (client.parent,)
        return ()

    def running(self, service: Service, endpoint: Endpoint) -> RunningServer | None:
        """Log in to the running server with the project's role, password and database."""
        from devinit.kinds.postgres.login import ask  # only a taken port needs it
        from devinit.kinds.running import ask_running

        settings = _settings(service)
        return ask_running(endpoint, lambda line: ask(line, settings))

    def data(self, service: Service, place: Place) -> Path | None:
        """Return the cluster."""
        return _cluster_in_use(service, place)

    def data_identity(self, service: Service, endpoint: Endpoint, place: Place) -> str | None:
        """Return the ids of the cluster and of its database; each newly created database gets another id."""
        if service.external_url is not None:
            return super().data_identity(service, endpoint, place)
        program, cluster = _prepared(service, place)
        client = installation.psql(program.path, place)
        database = _settings(service).database
        oid = oid_of(database, cluster, endpoint, place, client) if client is not None else None
        return None if oid is None else f"{system_identifier(cluster)}/{oid}"

    def loss(self, service: Service, place: Place, process_id: int | None) -> str:
        """Return a message if the cluster was replaced or is incomplete, else ""."""
        if service.external_url is not None:
            return ""
        from devinit.kinds.loss import loss_of  # nothing waits for this, as below
        from devinit.kinds.postgres.intact import lacking

        return loss_of(service.name, self.data(service, place), process_id, lacking)

    def shortcomings(self, service: Service, place: Place) -> Advice:
        """Compare the extensions that migrations create with those of the chosen server."""
        from devinit.kinds.postgres.extensions import lacking, told, wanted_by  # for `doctor`

        home = place_home(service.name, place)
        choice = recall(home) if service.external_url is None else None
        if choice is not None and place.only_looks and bounds_of(place.root).contains(choice.program.file):
            return ()  # `bin` leads into the repository: its pg_config must not run
        missing = lacking(wanted_by(place.root), choice.program) if choice is not None else ()
        if choice is None or not missing:
            return ()
        said, _, advice = told(missing, choice.program, home / f"pg{choice.program.major}").partition(". ")
        return ((said, advice),)

    def stop(self, service: Service) -> StopPolicy:
        """Return INT, which ends sessions and writes everything; TERM would wait for every client to disconnect.

        KILL never follows, but QUIT does: after KILL, a backend could outlive the server and keep writing.
        """
        wished = service.stop or STOP
        return StopPolicy(signal=wished.signal, grace_seconds=wished.grace_seconds, kill=False)


def _with_former_data(service: Service, place: Place) -> Notes:
    """Move the data of a former name to the service's own, unless that already exists."""
    former = service.data_of
    if former is None or clusters_of(service.name, place):
        return ()
    from devinit.kinds.former import take_over  # few services get another name

    if not any(map(is_occupied, clusters_of(former, place).values())):
        take_shared(former, place)
    homes = [(place_home(former, place), place_home(service.name, place))]
    before, now = outside_home(former, place), outside_home(service.name, place)
    if before is not None and now is not None:
        homes.insert(0, (before, now))
    return take_over(service, homes, clusters_of(former, place).values(), "PostgreSQL")


def _begin(service: Service, place: Place, home: Path, say: Say) -> Notes:
    """Choose a program and create the first cluster; return a note about missing extensions."""
    from devinit.kinds.postgres.extensions import lacking, told, wanted_by  # once for each checkout

    wanted = wanted_by(place.root)
    program = installation.choose(service, place, home, {}, say, wanted=wanted)
    cluster = create(service.name, program, place, say)
    missing = lacking(wanted, program)
    return (told(missing, program, cluster),) if missing else ()


def _settings(service: Service) -> PostgresSettings:
    if service.external_url is not None:
        from devinit.kinds.external import address_of  # rare, and urllib.parse costs 3 ms

        address = address_of(service.external_url, service.name)
        return PostgresSettings(database=address.path, user=address.user, password=address.password)
    settings = service.settings_as(PostgresSettings)
    return settings or PostgresSettings(database=service.name, user=service.name)


def _check(service: Service, settings: PostgresSettings) -> None:
    key = f"services.{service.name}"
    further = (("databases", name) for name in settings.databases)
    for part, value in (("database", settings.database), ("user", settings.user), *further):
        if not value or len(value.encode()) > LONGEST_IDENTIFIER or set(value) & {"\0", "\n", "\r"}:
            raise ConfigError(
                f"{key}.{part}: {value!r} cannot be a name in PostgreSQL",
                hint=f"it takes 1 to {LONGEST_IDENTIFIER} bytes on one line",
            )
    if settings.user == SUPERUSER or settings.user.startswith("pg_"):
        raise ConfigError(f"{key}.user: the name {settings.user} is reserved", hint="choose another")
    if not settings.secret or "\0" in settings.secret:
        raise ConfigError(f"{key}.password is empty", hint="choose one")


def _cluster_in_use(service: Service, place: Place) -> Path | None:
    """Return the cluster of our own server; None if there is none, or it cannot be determined."""
    if service.external_url is None:
        with suppress(DevinitError):
            return _prepared(service, place)[1]
    return None


def _prepared(service: Service, place: Place) -> tuple[Program, Path]:
    home = place_home(service.name, place)
    choice = recall(home)
    found = clusters_of(service.name, place)
    if choice is None or choice.program.major not in found:
        raise ProviderError(f"the data of {service.name} disappeared from {home}", hint="start it again")
    return choice.program, found[choice.program.major]


def _variables(
    service: Service, host: str, port: int | None, settings: PostgresSettings, url: str | None
) -> dict[str, str]:
    name = variable_prefix(service.name)
    values = {
        f"{name}_HOST": host,
        f"{name}_PORT": "" if port is None else str(port),
        f"{name}_USER": settings.user,
        f"{name}_PASSWORD": settings.secret,
        f"{name}_DB": settings.database,
    }
    if url is not None:
        before = "" if name == POSTGRES.common_prefix else f"{name}_"
        values[f"{before}DATABASE_URL"] = url
        if port is not None and settings.test_database is not None:
            tests = replace(settings, database=settings.test_database)
            values[f"{before}TEST_DATABASE_URL"] = _url(tests, host, port)
    return values


def _url(settings: PostgresSettings, host: str, port: int) -> str:
    account = f"{in_url(settings.user)}:{in_url(settings.secret)}"
    address = f"[{host}]" if ":" in host else host
    return f"postgresql://{account}@{address}:{port}/{in_url(settings.database)}"
