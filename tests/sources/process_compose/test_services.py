"""Specifies which services a file of process-compose is, and what is left out of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.config.detected import detect
from devinit.config.initial import initial_toml
from devinit.config.load import load
from devinit.config.shown import root_shown_by
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.service import Condition, Project, Readiness, Service
from devinit.sources import process_compose
from devinit.system.bounds import bounds_of

Write = Callable[..., Path]
Listed = Callable[..., Project]
REAL = """\
version: "0.5"
environment: ["LOG=debug", "DATABASE_URL=postgres://app@localhost:5432/shop?sslmode=disable"]
vars: {PORT: 8010}
processes:
  db:
    command: pg_ctl -D .data start
    is_daemon: true
    readiness_probe: {exec: {command: pg_isready}}
  migrate:
    command: python migrate.py
    working_dir: ./api
    depends_on: {db: {condition: process_healthy}}
  api:
    command: uvicorn main:app --port {{.PORT}}
    working_dir: api
    environment: ["SELF=http://localhost:8010", "COST=1$$"]
    depends_on: {migrate: {condition: process_completed_successfully}}
    readiness_probe: {http_get: {path: /health, port: 8010}}
    availability: {restart: always}
  worker:
    command: |
      # the queue
      celery -A app worker
    working_dir: api
    depends_on: {api: {condition: process_started}}
"""
WORDS = st.lists(
    st.sampled_from(
        ["processes:", "a:", "  ", "    ", "\n", "- ", "{", "}", "[", "]", "command: ", "environment: ", "A=$B",
         "working_dir: ", "..", "/", "redis-server", "{{.X}}", "depends_on: ", "readiness_probe: ", "http_get: ",
         "port: ", "99999", "${", "'", '"', "|", "\x00", "é", ": ", "disabled: true"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@pytest.fixture
def listed(root: Path, write: Write) -> Listed:
    """Return what is detected from the processes of a file."""

    def detecting(processes: str, before: str = "") -> Project:
        text = textwrap.indent(textwrap.dedent(processes).strip("\n"), "  ")
        write("process-compose.yaml", f"{before}processes:\n{text}\n")
        return detect(root)

    return detecting


@pytest.fixture
def real(root: Path, write: Write) -> Project:
    """Return what is detected from a file of the usual shape."""
    write("process-compose.yaml", REAL)
    write("api/migrate.py")
    return detect(root)


def port_of(service: Service) -> int | None:
    return service.port.preferred if service.port else None


class TestAFile:
    def test_is_a_project(self, root: Path, listed: Listed) -> None:
        listed("web: {command: flask run}\n")

        assert root_shown_by(str(root)) == str(root)

    def test_is_a_service_for_each_process(self, root: Path, real: Project) -> None:
        assert {
            name: (each.command, each.directory.relative_to(root).as_posix())
            for name, each in real.services.items()
        } == {
            "postgres": (None, "."),
            "migrate": ("python migrate.py", "api"),
            "api": ("uvicorn main:app --port ${PORT}", "api"),
            "worker": ("celery -A app worker", "api"),
        }
        assert {name: port_of(each) for name, each in real.services.items()} == {
            "postgres": 5432, "migrate": None, "api": 8010, "worker": None,
        }  # fmt: skip

    def test_has_its_order(self, real: Project) -> None:
        assert {name: (each.depends_on, each.conditions) for name, each in real.services.items()} == {
            "postgres": ((), {}),
            "migrate": (("postgres",), {}),
            "api": (("migrate",), {"migrate": Condition.COMPLETED}),
            "worker": (("api",), {"api": Condition.STARTED}),
        }
        assert real.is_job("migrate")

    def test_has_its_variables_with_the_addresses_of_devinit(self, real: Project) -> None:
        assert real.services["api"].env == {
            "LOG": "debug",
            "DATABASE_URL": (
                "postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@${POSTGRES_HOST}:${POSTGRES_PORT}/${POSTGRES_DB}"
                "?sslmode=disable"
            ),
            "SELF": "http://localhost:${PORT}",
            "COST": "1$$",
        }
        database = real.services["postgres"].settings_as(PostgresSettings)
        assert database is not None
        assert (database.user, database.database) == ("app", "shop")

    def test_keeps_the_number_of_a_database_of_redis(self, listed: Listed) -> None:
        project = listed(
            """
            redis: {command: redis-server --port 6399}
            web: {command: ./serve, environment: ["R=redis://localhost:6399/2"]}
            """
        )

        assert project.services["web"].env == {"R": "redis://${REDIS_HOST}:${REDIS_PORT}/2"}

    def test_has_its_probes(self, real: Project) -> None:
        assert real.services["api"].ready == Readiness(http="/health")

    def test_names_the_line_of_each_value(self, real: Project) -> None:
        places = {each.about: each.place for each in real.evidence["api"]}

        assert places == {
            "command": "process-compose.yaml, line 14",
            "directory": "process-compose.yaml, line 14",
            "port": "process-compose.yaml, line 14",
            "depends_on": "process-compose.yaml, line 17",
            "env": "process-compose.yaml, line 16",
            "ready": "process-compose.yaml, line 18",
        }

    def test_says_which_database_devinit_runs_itself(self, real: Project) -> None:
        assert real.notes == (
            "process-compose.yaml, line 6: db is run as postgres by devinit itself, with data of this checkout",
        )

    def test_reads_back_from_the_file_that_init_writes(self, root: Path, write: Write, real: Project) -> None:
        write("devinit.toml", initial_toml(real))

        assert load(root).services == real.services


class TestAPort:
    def test_where_a_process_is_asked_is_kept_when_nothing_tells_it_another_one(
        self, write: Write, listed: Listed
    ) -> None:
        write("serve.py")

        port = (
            listed("web: {command: python serve.py, readiness_probe: {http_get: {path: /, port: 9000}}}\n")
            .services["web"]
            .port
        )

        assert port is not None
        assert (port.preferred, port.strict) == (9000, True)

    def test_in_a_variable_moves(self, listed: Listed) -> None:
        project = listed("web: {command: ./serve, environment: ['PORT=9000'], working_dir: .}\n")

        port = project.services["web"].port
        assert port is not None
        assert (port.preferred, port.strict, project.services["web"].env) == (9000, False, {})

    def test_is_none_where_nothing_names_one(self, listed: Listed) -> None:
        assert port_of(listed("web: {command: ./serve}\n").services["web"]) is None


class TestAProbe:
    @pytest.mark.parametrize(
        ("probe", "ready"),
        [
            ("readiness_probe: {exec: {command: 'curl -f http://localhost:9000/up'}}", Readiness(http="/up")),
            ("readiness_probe: {exec: {command: test -f ready}}", Readiness(exec="test -f ready")),
            ("ready_log_line: 'up (1)'", Readiness(log=r"up\ \(1\)")),
        ],
    )
    def test_is_how_a_service_is_ready(self, listed: Listed, probe: str, ready: Readiness) -> None:
        assert listed(f"web:\n  command: ./serve\n  {probe}\n").services["web"].ready == ready


class TestWhatIsLeftOut:
    @pytest.mark.parametrize(
        ("process", "reason"),
        [
            ("{command: docker compose up}", "it starts containers"),
            ("{command: 'fuser -k 8000/tcp; ./serve'}", "it ends processes by their name or port"),
            ("{command: createdb shop}", "devinit makes the databases itself"),
            ("{command: './x --port {{.NONE}}'}", "a field that `vars` does not give"),
            ("{command: ./x, working_dir: /srv}", "/srv is no folder of the repository"),
            ("{command: ./x, working_dir: ../other}", "../other is no folder of the repository"),
            ('{command: "if true; then\\n ./x\\nfi"}', "a script of several lines"),
            ('{command: "./x \'y"}', "cannot be parsed"),
            ("{description: nothing}", "it has no command"),
        ],
    )
    def test_is_said_with_its_line(self, listed: Listed, process: str, reason: str) -> None:
        project = listed(f"x: {process}\n")

        assert project.services == {}
        assert project.notes[0].startswith("process-compose.yaml, line 2: x is left out: ")
        assert reason in project.notes[0]

    def test_is_not_what_is_disabled_which_starts_by_its_name_alone(self, listed: Listed) -> None:
        assert listed("x: {command: ./x, disabled: true}\n").services["x"].autostart is False

    def test_is_no_dependency(self, listed: Listed) -> None:
        project = listed(
            """
            up: {command: docker compose up -d}
            web: {command: ./serve, depends_on: {up: {condition: process_completed}, nothing: {}}}
            """
        )

        assert (project.services["web"].depends_on, project.services["web"].conditions) == ((), {})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=WORDS.map(lambda words: f"processes:\n  {words}"),
    start=st.integers(0, len(REAL)),
    length=st.integers(0, 40),
)
def test_any_file_is_read_without_an_error(root: Path, text: str, start: int, length: int) -> None:
    for content in (text, REAL[:start] + text[-length:] + REAL[start + length :]):
        (root / "process-compose.yaml").write_text(content)

        found = process_compose.read(bounds_of(root))

        assert all(each.directory.is_dir() for each in found.services.values())
