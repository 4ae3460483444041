from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.kinds.postgres.kind import PostgresSettings, identifier
from devinit.model.port import ConflictPolicy, Exhausted, PortRequest
from devinit.model.service import (
    LogLimits,
    Project,
    Readiness,
    RestartMode,
    RestartPolicy,
    Service,
    StopPolicy,
)
from devinit.system import privileged

Refused = Callable[..., str]
Write = Callable[..., Path]
Described = Callable[..., Service]


@pytest.fixture
def described(loaded: Callable[..., Project]) -> Described:
    """Return the service that some keys describe; a process with a port unless they say otherwise."""

    def describing(keys: str, head: str = 'command = "x"\nport = 8000') -> Service:
        return loaded(f"[services.a]\n{head}\n{keys}").services["a"]

    return describing


class TestEveryKey:
    def test_arrives_in_the_service(self, loaded: Callable[..., Project], root: Path, write: Write) -> None:
        write("backend/.env")
        text = """
            [services.api]
            command = "uvicorn app:app --port ${PORT}"
            directory = "backend"
            host = "0.0.0.0"
            port = 8000
            range = "8000-8010"
            port_env = ["API_PORT", "SERVER_PORT"]
            oauth_redirect_ports = [8000, 8010]
            extra_ports = { debugger = 5678 }
            on_conflict = "fail"
            depends_on = ["db"]
            setup = ["uv sync"]
            setup_inputs = "../codegen.yml"
            before_start = ["alembic upgrade head"]
            ready = { http = "/health", status = [200, 204], body = "ok|fine", timeout = 90, attempt = 20 }
            env = { DEBUG = true, WORKERS = 2, NAME = "x" }
            env_file = "backend/.env"
            restart = { mode = "always", failures = 3, window = 30.5 }
            stop = { signal = "SIGINT", grace = 10, kill = false }
            logs = { size = "5 MB", count = 2 }
            optional = true
            warm = "/"
            url_path = "/app"
            docs_path = "/docs"

            [services.db]
            provider = "postgres"
            port = 5433
            database = "main"
            user = "me"
            password = "secret"
            binaries = "backend"
        """

        services = loaded(text).services

        assert services["api"] == Service(
            name="api",
            command="uvicorn app:app --port ${PORT}",
            directory=root / "backend",
            host="0.0.0.0",
            port=PortRequest(
                service="api", preferred=8000, first=8000, last=8010, browser=True, policy=ConflictPolicy.FAIL
            ),
            port_env=("API_PORT", "SERVER_PORT"),
            oauth_redirect_ports=(8000, 8010),
            extra_ports=(
                PortRequest(
                    service="api.debugger",
                    preferred=5678,
                    first=5678,
                    last=5777,
                    browser=True,
                    policy=ConflictPolicy.FAIL,
                ),
            ),
            depends_on=("db",),
            setup=("uv sync",),
            setup_inputs=("../codegen.yml",),
            before_start=("alembic upgrade head",),
            ready=Readiness(
                http="/health", status=(200, 204), body="ok|fine", timeout_seconds=90.0, attempt_seconds=20.0
            ),
            env={"DEBUG": "true", "WORKERS": "2", "NAME": "x"},
            env_file=(root / "backend/.env",),
            restart=RestartPolicy(mode=RestartMode.ALWAYS, failures=3, window_seconds=30.5),
            stop=StopPolicy(signal="INT", grace_seconds=10.0, kill=False),
            logs=LogLimits(size_bytes=5_000_000, count=2),
            optional=True,
            warm="/",
            url_path="/app",
            docs_path="/docs",
        )
        assert services["db"] == Service(
            name="db",
            provider="postgres",
            directory=root,
            port=PortRequest(service="db", preferred=5433, first=5433, last=5532),
            settings=PostgresSettings(
                database="main", user="me", password="secret", binaries=root / "backend"
            ),
        )


class TestAName:
    @pytest.mark.parametrize("name", ["a", "my-api", "my_api2"])
    def test_has_small_letters_digits_and_dashes(self, loaded: Callable[..., Project], name: str) -> None:
        assert name in loaded(f'[services.{name}]\ncommand = "x"').services

    @pytest.mark.parametrize("name", ["Api", "2nd", "-a", '"my api"', '"a/b"', '""', "a" * 41])
    def test_of_another_form_is_refused(self, refused: Refused, name: str) -> None:
        assert f"services.{name}: not a name for a service" in refused(f'[services.{name}]\ncommand = "x"')

    def test_that_means_every_service_is_refused(self, refused: Refused) -> None:
        assert 'services.all: a service cannot be named "all"' in refused('[services.all]\ncommand = "x"')


class TestAPort:
    def test_that_is_strict_has_no_range(self, described: Described) -> None:
        request = described("strict_port = true").port

        assert request is not None
        assert (request.first, request.last, request.strict) == (8000, 8000, True)

    def test_may_be_any_when_the_range_is_used_up(self, described: Described) -> None:
        service = described('exhausted = "any"\nextra_ports = { debugger = 5678 }')

        assert service.port is not None
        assert service.port.exhausted is Exhausted.ANY
        assert [each.exhausted for each in service.extra_ports] == [Exhausted.ANY]

    def test_is_one_of_the_range_when_nothing_else_is_said(self, described: Described) -> None:
        service = described("")

        assert service.port is not None
        assert service.port.exhausted is Exhausted.FAIL

    def test_is_the_first_of_the_range_when_only_that_is_given(self, described: Described) -> None:
        request = described('range = "9000-9005"', 'command = "x"').port

        assert request is not None
        assert (request.preferred, request.first, request.last) == (9000, 9000, 9005)

    def test_may_stand_anywhere_in_its_range(self, described: Described) -> None:
        request = described('range = "7990-8010"').port

        assert request is not None
        assert (request.first, request.preferred, request.last) == (7990, 8000, 8010)

    @pytest.mark.parametrize("port", [1024, 65535])
    def test_may_be_any_that_needs_no_privilege(self, described: Described, port: int) -> None:
        request = described("", f'command = "x"\nport = {port}').port

        assert request is not None
        assert request.preferred == port


class TestReadiness:
    def test_without_a_port_is_having_stayed_up(self, described: Described) -> None:
        assert described("ready.after = 2.5", 'command = "x"').ready == Readiness(after_seconds=2.5)

    def test_is_one_status_or_several(self, described: Described) -> None:
        assert described('ready = { http = "/", status = 401 }').ready.status == (401,)

    def test_is_a_range_of_statuses(self, described: Described) -> None:
        assert described('ready = { http = "/", status = "200-202" }').ready.status == (200, 201, 202)

    def test_of_a_server_is_its_own_affair_but_for_the_time(self, described: Described) -> None:
        assert described("ready.timeout = 5", 'provider = "redis"').ready == Readiness(timeout_seconds=5)


class TestWhatIsWrittenInTwoWays:
    def test_one_text_is_a_list_of_one(self, described: Described) -> None:
        service = described('setup = "a"\nbefore_start = "b"\nport_env = "C"')

        assert (service.setup, service.before_start, service.port_env) == (("a",), ("b",), ("C",))

    def test_a_variable_that_is_false_is_left_out_or_a_text(self, described: Described) -> None:
        service = described('env = { CORS_ORIGINS = false, DEBUG = "false" }')

        assert service.env == {"CORS_ORIGINS": "false", "DEBUG": "false"}
        assert service.left_out == ("CORS_ORIGINS",)

    def test_a_restart_mode_needs_no_table(self, described: Described) -> None:
        assert described('restart = "never"').restart == RestartPolicy(mode=RestartMode.NEVER)

    @pytest.mark.parametrize(
        ("written", "size"), [("5000", 5000), ('"10 MB"', 10_000_000), ('"64KiB"', 65536), ('"1000 b"', 1000)]
    )
    def test_a_size_is_bytes_or_has_a_unit(self, described: Described, written: str, size: int) -> None:
        assert described(f"logs.size = {written}").logs == LogLimits(size_bytes=size)

    @pytest.mark.parametrize("written", ["INT", "SIGINT", "int"])
    def test_a_signal_is_named_as_one_likes(self, described: Described, written: str) -> None:
        assert described(f'stop.signal = "{written}"').stop == StopPolicy(signal="INT")

    def test_an_absolute_directory_may_lie_outside(self, described: Described, tmp_path: Path) -> None:
        assert described(f'directory = "{tmp_path}"').directory == tmp_path


class TestAServerThatRunsElsewhere:
    def test_has_neither_a_port_nor_a_database_of_ours(self, described: Described) -> None:
        url = "postgresql://me:secret@db.example.com:5432/main"

        service = described(f'url = "{url}"', 'provider = "postgres"')

        assert (service.external_url, service.port, service.settings) == (url, None, None)

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ('provider = "postgres"\nurl = "mysql://x"', "services.a.url: not the URL of a postgres server"),
            ('provider = "redis"\nurl = "postgresql://x"', "it begins with redis:// or rediss://"),
            ('provider = "redis"\nurl = "redis://"', "services.a.url: names no host"),
            ('provider = "redis"\nurl = "redis://x:99999"', "services.a.url: not a URL: Port out of range"),
            (
                'provider = "redis"\nurl = "redis://x"\nport = 6380',
                "services.a.port: means nothing beside `url`",
            ),
            ('command = "x"\nurl = "http://x"', "services.a.url: means nothing for process"),
        ],
    )
    def test_is_refused_when_it_cannot_be_meant(self, refused: Refused, keys: str, said: str) -> None:
        assert said in refused(f"[services.a]\n{keys}")


class TestAPrivilegedPort:
    @pytest.mark.parametrize("keys", ["port = 80", 'range = "80-90"', "extra_ports.debugger = 80"])
    def test_is_refused_where_the_kernel_keeps_it_for_others(
        self, refused: Refused, monkeypatch: pytest.MonkeyPatch, keys: str
    ) -> None:
        monkeypatch.setattr(privileged, "first_port_for", lambda **_kind: 81)

        text = refused(f"[services.a]\ncommand = 'x'\n{keys}")

        assert (
            "port 80 is privileged: the kernel lets this user listen from 81 on (choose one from 81 on"
            in text
        )

    def test_is_granted_where_the_kernel_allows_it(
        self, loaded: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(privileged, "first_port_for", lambda **_kind: 80)

        project = loaded("[services.a]\ncommand = 'x'\nport = 80")

        request = project.services["a"].port
        assert request is not None
        assert (request.preferred, request.first) == (80, 80)


class TestAValueThatCannotBeMeant:
    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ("port = 0", "services.a.port: 0 is not a port (1 to 65535)"),
            ("port = 65536", "services.a.port: 65536 is not a port"),
            ("port = -1", "services.a.port: -1 is not a port"),
            ('range = "8000"', 'services.a.range: "8000" is not a range of ports (first and last port'),
            ('range = "8010-8000"', '"8010-8000" ends before it begins (did you mean "8000-8010"?)'),
            ('range = "8000-70000"', "services.a.range: 70000 is not a port"),
            ('port = 9000\nrange = "8000-8010"', "the preferred port 9000 lies outside 8000-8010"),
            (
                'port = 8000\nrange = "8000-8010"\nstrict_port = true',
                "services.a.range: means nothing beside",
            ),
            (
                'port = 8000\nstrict_port = true\nexhausted = "any"',
                "services.a.exhausted: means nothing beside `strict_port`",
            ),
            ('port = 8000\nexhausted = "some"', "services.a.exhausted"),
            ('exhausted = "any"', "services.a.exhausted: needs a `port`"),
            ("strict_port = true", "services.a.strict_port: needs a `port`"),
            ('port_env = "A_PORT"', "services.a.port_env: needs a `port`"),
            ("oauth_redirect_ports = [3000]", "services.a.oauth_redirect_ports: needs a `port`"),
            (
                "port = 8000\noauth_redirect_ports = [70000]",
                "services.a.oauth_redirect_ports: 70000 is not a port",
            ),
            ('port = 8000\nport_env = "A-PORT"', 'services.a.port_env: "A-PORT" is not a name'),
            ("extra_ports.Debugger = 5678", "services.a.extra_ports.Debugger: not a name for a port"),
            ("extra_ports.admin = {}", "services.a.extra_ports.admin.port: missing"),
            ("extra_ports.admin = { port = 9001, ready = 'up' }", 'admin.ready: "up" is not a path'),
            ("extra_ports.admin = { port = 9001, ready = '' }", "extra_ports.admin.ready: is empty"),
            ('host = "my host"', 'services.a.host: "my host" is not an address'),
            ('setup = [" "]', "services.a.setup: an empty command"),
            (
                """setup = ["echo 'hi"]""",
                """services.a.setup: "echo 'hi" cannot be parsed: no closing quotation""",
            ),
            ('ready = { http = "/", log = "x" }', "services.a.ready: two kinds of readiness: http and log"),
            ('ready.http = "/health"', "services.a.ready.http: needs a `port`"),
            ("ready.tcp = true", "services.a.ready.tcp: needs a `port`"),
            (
                'port = 8000\nready.http = "health"',
                'services.a.ready.http: "health" is not a path (did you mean "/',
            ),
            ("port = 8000\nready.after = 1", "services.a.ready.after: is for a service without a port"),
            ("ready.status = 200", "services.a.ready.status: means nothing without `http`"),
            (
                'port = 8000\nready = { http = "/", status = 20 }',
                "services.a.ready.status: 20 is not a status code",
            ),
            (
                'port = 8000\nready = { http = "/", status = "499-200" }',
                'services.a.ready.status: "499-200" is no range of status codes (for example "200-499")',
            ),
            (
                'port = 8000\nready = { http = "/", status = "2xx" }',
                'services.a.ready.status: "2xx" is no range of status codes (for example "200-499")',
            ),
            (
                'port = 8000\nready = { http = "/", status = "200-600" }',
                "services.a.ready.status: 600 is not a status code",
            ),
            ('ready.log = "("', 'services.a.ready.log: "(" is not a regular expression: missing )'),
            (
                'port = 8000\nready = { http = "/", body = "[" }',
                'services.a.ready.body: "[" is not a regular',
            ),
            ('ready.exec = ""', "services.a.ready.exec: is empty"),
            ("ready.timeout = 0", "services.a.ready.timeout: 0 is no duration (seconds, more than 0)"),
            (
                'ready = { log = "up", attempt = 9 }',
                "services.a.ready.attempt: means nothing for `log` and `after` (it is for `http`, `tcp` and `exec`)",
            ),
            ("ready.after = -1", "services.a.ready.after: -1 is no duration (seconds, 0 or more)"),
            ("stop.grace = inf", "services.a.stop.grace: inf is no duration"),
            ("stop.grace = nan", "services.a.stop.grace: nan is no duration"),
            (
                'stop.signal = "TRM"',
                'services.a.stop.signal: there is no signal "TRM" (did you mean "TERM"?)',
            ),
            ("restart.failures = 0", "services.a.restart.failures: 0 is too few"),
            ('logs.size = "10 parrots"', "services.a.logs.size: not a size"),
            ("logs.size = 10", "services.a.logs.size: 10 bytes are too few"),
            ("logs.size = -5", "services.a.logs.size: not a size"),
            ('warm = "index"', 'services.a.warm: "index" is not a path'),
            (
                'database = "x"',
                "services.a.database: means nothing for process (it is for postgres and mysql and docker)",
            ),
        ],
    )
    def test_is_refused_by_key(self, refused: Refused, keys: str, said: str) -> None:
        assert said in refused(f'[services.a]\ncommand = "x"\n{keys}')

    @pytest.mark.timeout(120)
    def test_is_refused_at_once_for_a_hostile_size(self, refused: Refused) -> None:
        text = f'[services.a]\ncommand = "x"\nlogs.size = "1{" " * 200_000}!"'

        assert "services.a.logs.size: not a size" in refused(text)

    @pytest.mark.parametrize("pattern", ["u/**/*.py", "u/x/*.py", "./u/x.py", "a/../u/*"])
    def test_is_refused_that_watches_what_a_link_outside_leads_to(
        self, refused: Refused, root: Path, pattern: str
    ) -> None:
        (root / "u").symlink_to("/usr")

        said = refused(f'[services.a]\ncommand = "x"\nwatch = "{pattern}"')

        assert "services.a.watch" in said

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ("", "services.a.command: missing (say what starts the service"),
            ('command = " "', "services.a.command: missing"),
            (
                'command = "say \'hi"',
                """services.a.command: "say 'hi" cannot be parsed: no closing quotation (close every quote)""",
            ),
            ('command = "x"\nsetup_inputs = "a.yml"', "setup_inputs: means nothing without `setup`"),
            ('command = "x"\nsetup = "y"\nsetup_inputs = "/a.yml"', "is not relative to its directory"),
            (
                'command = "x"\nsetup = "y"\nsetup_inputs = "../../../../**/*"',
                '"../../../../**/*" searches folders outside of the repository (there, name single files',
            ),
            ('command = "x"\nsetup = "y"\nsetup_inputs = "../*/*.yml"', "searches folders outside"),
            ('command = "x"\nsetup = "y"\nsetup_inputs = "a/*/../../../**"', "searches folders outside"),
            ('provider = "postgrs"', 'there is no provider "postgrs" (did you mean "postgres"?)'),
            (
                'provider = "fulltext"',
                'there is no provider "fulltext" (providers: process, postgres, mysql, redis, docker)',
            ),
            (
                'provider = "redis"\ncommand = "x"',
                "services.a.command: means nothing for redis (it is for process and docker)",
            ),
            ('provider = "redis"\nready.log = "x"', "redis is proven ready by its own protocol"),
            ('command = "x"\npassword = "x"', "services.a.password: means nothing for process"),
            ('provider = "redis"\npassword = ""', "services.a.password: is empty"),
            ('provider = "redis"\npassword = "a\\nb"', "services.a.password: has several lines"),
            ('provider = "postgres"\nuser = "pg_me"', 'PostgreSQL keeps the name "pg_me" for itself'),
            (
                'databases = ["x"]',
                "services.a.databases: means nothing for process (it is for postgres and mysql)",
            ),
            (
                'provider = "postgres"\ndatabases = ["b", ""]',
                "services.a.databases[1]: a name has 1 to 63 bytes",
            ),
            (
                'provider = "postgres"\ndatabases = ["b", "b"]',
                'services.a.databases[1]: "b" is there already',
            ),
            (
                'provider = "postgres"\ndatabase = "b"\ndatabases = ["b"]',
                'services.a.databases[0]: "b" is there already',
            ),
            ('provider = "postgres"\ndatabase = ""', "services.a.database: a name has 1 to 63 bytes"),
            ('provider = "postgres"\npassword = ""', "services.a.password: is empty"),
        ],
    )
    def test_is_refused_for_the_provider_that_it_does_not_suit(
        self, refused: Refused, keys: str, said: str
    ) -> None:
        assert said in refused(f"[services.a]\n{keys}")

    def test_is_told_together_with_the_others(self, refused: Refused) -> None:
        text = refused('[services.a]\ncommand = "x"\nport = 0\n[services.b]\nprovider = "oracle"')

        assert "devinit.toml has 2 problems:" in text
        assert "\n  services.a.port: " in text
        assert "\n  services.b.provider: " in text


class TestAPathThatIsNotThere:
    def test_is_refused_as_a_directory(self, refused: Refused, root: Path) -> None:
        text = refused('[services.a]\ncommand = "x"\ndirectory = "bakend"')

        assert f"services.a.directory: {root}/bakend does not exist" in text

    def test_is_refused_when_it_is_a_file(self, refused: Refused, root: Path, write: Write) -> None:
        write("backend")

        text = refused('[services.a]\ncommand = "x"\ndirectory = "backend"')

        assert f"services.a.directory: {root}/backend is not a folder" in text

    def test_is_refused_as_a_file_of_variables(self, refused: Refused, root: Path) -> None:
        text = refused('[services.a]\ncommand = "x"\nenv_file = ".env"')

        assert f"services.a.env_file: {root}/.env does not exist" in text

    def test_is_refused_with_the_file_that_was_meant(self, refused: Refused, write: Write) -> None:
        write("backend/.env")

        text = refused('[services.a]\ncommand = "x"\ndirectory = "backend"\nenv_file = ".env"')

        assert 'did you mean "backend/.env"?' in text


class TestAProjectsNameInSql:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("shop", "shop"),
            ("Café-Shop", "cafe_shop"),
            ("2nd try", "app_2nd_try"),
            ("店", "app"),
            ("pg-demo", "app_pg_demo"),
            ("public", "app_public"),
            ("--", "app"),
        ],
    )
    def test_is_readable(self, name: str, expected: str) -> None:
        assert identifier(name) == expected

    @given(st.text())
    def test_is_always_one_that_needs_no_quotes(self, name: str) -> None:
        text = identifier(name)

        assert text.isascii()
        assert text.isidentifier()
        assert text == text.lower()
        assert len(text) <= 63


class TestAOneShotThatRunsOnce:
    def test_is_a_command_without_a_port_and_a_ready(self, loaded: Callable[..., Project]) -> None:
        assert loaded('[services.seed]\ncommand = "x"\nonce = true').services["seed"].once

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ("port = 8000", "services.seed.once: means nothing for a server"),
            ('ready = { log = "x" }', "services.seed.once: means nothing beside `ready`"),
            ('restart = "always"', 'services.seed.once: means nothing beside restart = "always"'),
        ],
    )
    def test_is_nothing_else(self, refused: Callable[..., str], keys: str, said: str) -> None:
        assert said in refused(f'[services.seed]\ncommand = "x"\nonce = true\n{keys}')

    def test_is_no_server_of_data(self, refused: Callable[..., str]) -> None:
        assert "services.db.once: means nothing for a server" in refused(
            '[services.db]\nprovider = "postgres"\nonce = true'
        )
