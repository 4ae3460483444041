"""Specifies that devinit.toml lies over what the repository shows: three lines of news are three lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.load import load
from devinit.model.service import Project

Write = Callable[..., Path]
Loaded = Callable[..., Project]
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def repository(write: Write) -> None:
    """A FastAPI backend with migrations and PostgreSQL, a Vite frontend, and a Procfile with a worker."""
    write(
        "backend/main.py", 'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/health")\ndef h(): ...\n'
    )
    write("backend/requirements.txt", "fastapi\nasyncpg\n")
    write("backend/alembic.ini", "[alembic]\n")
    write("backend/alembic/versions/1.py", "revision = '1'\n")
    write("frontend/package.json", '{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}}')
    write("frontend/index.html", "<html></html>")
    write("Procfile", "worker: celery -A backend worker\n")


class TestAFileOverWhatIsFound:
    def test_changes_one_key_and_keeps_the_rest(self, loaded: Loaded) -> None:
        project = loaded("[services.backend]\nport = 8123")

        backend = project.services["backend"]
        assert list(project.services) == ["postgres", "backend", "frontend", "worker"]
        assert backend.port
        assert backend.port.preferred == 8123
        assert backend.command
        assert backend.command.startswith("uvicorn main:app")
        assert backend.ready.http == "/health"
        assert backend.directory.name == "backend"

    def test_adds_a_service(self, loaded: Loaded) -> None:
        project = loaded('[services.docs]\ncommand = "mkdocs serve -a 127.0.0.1:${PORT}"\nport = 8400')

        assert list(project.services) == ["postgres", "backend", "frontend", "worker", "docs"]

    def test_leaves_out_a_service_and_waits_for_it_nowhere(self, loaded: Loaded) -> None:
        project = loaded("[services]\npostgres = false")

        assert "postgres" not in project.services
        assert all("postgres" not in each.depends_on for each in project.services.values())

    def test_adds_to_the_environment(self, loaded: Loaded) -> None:
        project = loaded('[environment]\nAPI_V1 = "${BACKEND_URL}/api/v1"')

        assert project.environment == {"API_V1": "${BACKEND_URL}/api/v1"}
        assert "backend" in project.services

    def test_is_all_there_is_when_it_says_so(self, loaded: Loaded) -> None:
        project = loaded('[project]\ndetect = false\n[services.docs]\ncommand = "mkdocs serve"')

        assert list(project.services) == ["docs"]

    def test_calls_a_server_by_another_name_when_it_runs_in_the_same_folder(self, loaded: Loaded) -> None:
        project = loaded(
            '[services.api]\ncommand = "uvicorn main:app --port ${PORT}"\ndirectory = "backend"\nport = 8000'
        )

        assert "backend" not in project.services
        assert project.services["frontend"].depends_on == ("api",)
        assert project.services["api"].before_start == ("python -m alembic upgrade head",)

    def test_calls_a_server_by_another_name_when_it_names_its_folder(self, loaded: Loaded) -> None:
        project = loaded('[services.api]\ndirectory = "backend"\nport = 8000')

        assert set(project.services) == {"postgres", "frontend", "worker", "api"}
        assert project.services["frontend"].depends_on == ("api",)
        assert (project.services["api"].command or "").startswith("uvicorn main:app")
        assert project.services["api"].before_start == ("python -m alembic upgrade head",)

    def test_means_the_server_among_several_services_of_a_folder(self, loaded: Loaded, write: Write) -> None:
        write("backend/jobs.py", "from celery import Celery\napp = Celery()\n")
        write("backend/requirements.txt", "fastapi\nasyncpg\ncelery\nredis\n")
        write("Procfile", "")
        found = loaded("").services
        assert [name for name, each in found.items() if each.directory.name == "backend"] == [
            "backend", "worker",
        ]  # fmt: skip

        project = loaded('[services.api]\ndirectory = "./backend/"')

        assert (project.services["api"].command or "").startswith("uvicorn main:app")
        assert "worker" in project.services

    def test_means_no_service_of_another_kind(self, loaded: Loaded) -> None:
        project = loaded('[services.api]\ndirectory = "backend"\nprovider = "redis"')

        assert list(project.services) == ["postgres", "backend", "frontend", "worker", "api"]

    def test_means_no_worker_by_its_folder_when_it_has_a_port(self, refused: Refused) -> None:
        assert "services.api.command: missing" in refused('[services.api]\ndirectory = "."\nport = 8000')

    def test_calls_a_database_by_another_name(self, loaded: Loaded) -> None:
        project = loaded('[services.db]\nprovider = "postgres"\nport = 5450')

        assert "postgres" not in project.services
        assert "db" in project.services["backend"].depends_on

    def test_uses_a_server_elsewhere_in_place_of_one_of_ours(self, loaded: Loaded) -> None:
        project = loaded('[services.postgres]\nurl = "postgresql://ada@db.example.com:5432/shop"')

        assert project.services["postgres"].external_url
        assert project.services["backend"].depends_on == ("postgres",)

    def test_lets_a_profile_lie_over_both(self, loaded: Loaded) -> None:
        text = "[services.backend]\nport = 8123\n[profiles.ci.services]\nbackend.strict_port = true\nfrontend = false"

        project = loaded(text, "ci")

        assert project.services["backend"].port
        assert project.services["backend"].port.strict
        assert project.services["backend"].port.preferred == 8123
        assert "frontend" not in project.services

    def test_says_of_each_key_where_it_comes_from(self, loaded: Loaded) -> None:
        project = loaded("[services.backend]\nport = 8123")

        places = {each.about: each.place for each in project.evidence["backend"]}
        assert places["port"] == "devinit.toml"
        assert places["command"] == "backend/main.py, line 2"

    def test_starts_a_server_that_a_list_of_processes_does_not_name(
        self, loaded: Loaded, write: Write
    ) -> None:
        write("Procfile.dev", "web: cd backend && uvicorn main:app --port 8010\n")

        project = loaded("[services.frontend]\nport = 3010")

        frontend = project.services["frontend"]
        assert frontend.command
        assert frontend.command.startswith("npm run dev")
        assert not any("not started" in note for note in project.notes)


class TestACommandOfItsOwn:
    def test_brings_its_folder(self, loaded: Loaded, root: Path) -> None:
        backend = loaded('[services.backend]\ncommand = "uvicorn backend.main:app --port ${PORT}"').services[
            "backend"
        ]

        assert backend.directory == root
        assert backend.before_start == ()
        assert backend.port
        assert backend.ready.http == "/health"

    def test_has_no_port_when_it_uses_none(self, loaded: Loaded) -> None:
        frontend = loaded(
            '[services.frontend]\ncommand = "npm run build -- --watch"\ndirectory = "frontend"'
        ).services["frontend"]

        assert frontend.port is None

    def test_is_no_database_of_ours_any_more(self, loaded: Loaded) -> None:
        postgres = loaded('[services.postgres]\ncommand = "pg_ctl start"').services["postgres"]

        assert postgres.provider == "process"
        assert postgres.port is None


class TestTheNameOfAServer:
    @pytest.mark.parametrize("name", ["postgres", "redis"])
    def test_says_what_runs_it(self, loaded: Loaded, name: str) -> None:
        project = loaded(f"[project]\ndetect = false\n[services.{name}]")

        assert project.services[name].provider == name

    def test_says_nothing_beside_a_command(self, loaded: Loaded) -> None:
        project = loaded(
            '[project]\ndetect = false\n[services.redis]\ncommand = "redis-server --port ${PORT}"'
        )

        assert project.services["redis"].provider == "process"


class TestWhatIsRefused:
    def test_true_is_no_service(self, refused: Refused) -> None:
        assert "services.backend: is true (a table describes it, false leaves it out)" in refused(
            "[services]\nbackend = true"
        )

    def test_a_service_that_nothing_describes(self, refused: Refused) -> None:
        assert "services.mailer.command: missing" in refused("[services.mailer]\nport = 8025")


def test_an_empty_file_changes_nothing(root: Path, write: Write) -> None:
    before = load(root)

    write("devinit.toml", "")

    assert load(root).services == before.services


class TestAFileInWhichEachServiceIsComplete:
    FILE = '[services.docs]\ncommand = "mkdocs serve -a 127.0.0.1:${PORT}"\nport = 8400\n'

    def test_names_what_is_started_beside_it(self, loaded: Loaded) -> None:
        [note] = [each for each in loaded(self.FILE).notes if "not in devinit.toml" in each]

        assert note.startswith("backend, frontend, worker: not in devinit.toml, but found in the repository")

    @pytest.mark.parametrize("text", ["[project]\ndetect = true\n", "[services.backend]\nport = 8123\n"])
    def test_says_nothing_where_that_is_meant(self, loaded: Loaded, text: str) -> None:
        assert not any("not in devinit.toml" in each for each in loaded(text + self.FILE).notes)


def test_a_range_of_the_file_lets_a_fixed_port_move(loaded: Loaded, write: Write) -> None:
    write("frontend/src/api.ts", "fetch('http://localhost:8000')\n")

    port = loaded('[services.backend]\nrange = "8000-8010"').services["backend"].port

    assert port
    assert (port.strict, port.last) == (False, 8010)


def test_a_name_of_a_folder_writes_no_line(loaded: Loaded, write: Write) -> None:
    write("frontend/pages\nerror: forged/p.js", "fetch('http://localhost:7777')\n")
    write("frontend/src/api.ts", "fetch('http://localhost:8000')\n")

    assert not any("\n" in note for note in loaded("").notes)


def test_a_service_that_is_left_out_is_no_matter_of_a_note(loaded: Loaded) -> None:
    assert any(each.startswith("frontend/: node_modules") for each in loaded("").notes)

    assert not any(each.startswith("frontend/") for each in loaded("[services]\nfrontend = false").notes)


CELERY = "import os\nfrom celery import Celery\napp = Celery(broker=os.environ['BROKER'])\n"


def test_a_worker_of_celery_that_the_file_starts_is_not_said_to_be_left_out(
    loaded: Loaded, write: Write
) -> None:
    write("jobs/tasks.py", CELERY)
    write("jobs/requirements.txt", "celery\n")
    [other] = [note for note in loaded("[services.pg]\nprovider = 'postgres'\n").notes if "Celery" in note]
    text = "[services.jobs]\ncommand = 'celery -A tasks worker'\ndirectory = 'jobs'\n"

    assert other.startswith("jobs/tasks.py, line 3: the worker of Celery is not started, because ")
    assert not [note for note in loaded(text).notes if "Celery" in note]


class TestTheServicesOfOtherProfiles:
    """Data that is called like one of them is its own."""

    FILE = '[profiles.ci.services]\npostgres = false\ntested = { provider = "postgres" }'

    def test_are_known_by_their_names(self, loaded: Loaded) -> None:
        assert loaded(self.FILE, "ci").other_names == ("postgres",)
        assert loaded(self.FILE).other_names == ("tested",)

    def test_are_called_as_the_file_calls_them(self, loaded: Loaded) -> None:
        renamed = (
            f'[services.pg]\nprovider = "postgres"\n{self.FILE.replace("postgres = false", "pg = false")}'
        )

        assert loaded(renamed).other_names == ("tested",)
        assert loaded(renamed, "ci").other_names == ("pg",)
