from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from devinit.config.detected import detect
from devinit.config.initial import initial_toml
from devinit.config.load import load
from devinit.model.port import ConflictPolicy
from devinit.model.service import Project
from tests.config.conftest import with_names

Write = Callable[..., Path]


def same(one: Project, other: Project) -> bool:
    """Tell whether two projects differ in nothing but where they were read from, and what was noted meanwhile."""
    return read_alike(one) == read_alike(other)


def read_alike(project: Project) -> Project:
    return structs.replace(with_names(project), source=None, evidence={}, notes=())


class TestAVariableThatIsLeftOut:
    def test_is_false_in_the_file_and_read_back_as_that(self, root: Path, write: Write) -> None:
        write(
            "devinit.toml",
            "[environment]\nPGHOST = false\n[services.web]\ncommand = 'serve'\nenv = { HOST = false, A = 'false' }\n",
        )
        project = load(root)

        text = initial_toml(project)
        write("devinit.toml", text)

        assert "PGHOST = false\n" in text
        assert (project.left_out, project.services["web"].left_out) == (("PGHOST",), ("HOST",))
        assert same(load(root), project)


class TestAFileOverWhatWasDetected:
    @pytest.fixture
    def found(self, root: Path, write: Write) -> Project:
        write("backend/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")
        write("backend/requirements.txt", "asyncpg\n")
        return detect(root)

    def test_has_no_table_but_the_name_of_the_project(self, found: Project) -> None:
        lines = initial_toml(found, found).splitlines()

        assert [line for line in lines if line and not line.startswith("#")] == [
            "[project]",
            'name = "shop"                           # the folder\'s name unless said otherwise',
        ]

    def test_reads_back_as_what_was_detected(self, found: Project, root: Path, write: Write) -> None:
        write("devinit.toml", initial_toml(found, found))

        assert same(load(root), found)

    def test_changes_what_is_uncommented(self, found: Project, root: Path, write: Write) -> None:
        text = initial_toml(found, found).replace("# [services.backend]\n", "[services.backend]\n", 1)
        write("devinit.toml", text.replace("# port = 8000", "port = 8123", 1))

        backend = load(root).services["backend"]
        assert backend.port
        assert backend.port.preferred == 8123

    def test_says_what_is_not_as_it_was_detected(self, found: Project, root: Path, write: Write) -> None:
        optional = structs.replace(found.services["backend"], optional=True)
        project = structs.replace(found, services={**found.services, "backend": optional})

        text = initial_toml(project, found)

        assert "\n[services.backend]\n# command = " in text
        assert "\noptional = true\n" in text
        write("devinit.toml", text)
        assert same(load(root), project)


class TestTheFirstFile:
    def test_reads_back_as_what_was_detected(self, root: Path, write: Write) -> None:
        write("backend/app/main.py", 'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/health")\n')
        write("backend/requirements.txt", "asyncpg\nredis\n")
        write("backend/alembic.ini")
        write("frontend/package.json", '{"scripts": {"dev": "next dev"}}')
        project = detect(root)

        write("devinit.toml", initial_toml(project))

        assert list(project.services) == ["postgres", "redis", "backend", "frontend"]
        assert same(load(root), project)

    def test_names_the_lines_that_each_service_was_read_from(self, root: Path, write: Write) -> None:
        write("backend/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")
        write("backend/alembic.ini", "[alembic]\n")
        write("backend/alembic/versions/1_first.py")

        text = initial_toml(detect(root))

        assert "# from backend/main.py, line 2; backend/alembic.ini, line 1\n[services.backend]\n" in text

    def test_holds_no_line_that_a_name_of_a_file_brings_along(self, root: Path) -> None:
        (root / 'requirements\n[services.evil]\ncommand = "x"\n#.txt').write_text("redis\n")

        (root / "devinit.toml").write_text(initial_toml(detect(root)))

        assert list(load(root).services) == ["redis"]

    def test_reads_back_as_nothing_when_nothing_was_detected(self, root: Path, write: Write) -> None:
        project = detect(root)

        write("devinit.toml", initial_toml(project))

        assert same(load(root), project)

    def test_shows_how_to_begin_when_nothing_was_detected(self, root: Path) -> None:
        text = initial_toml(detect(root))

        assert "Nothing was detected" in text
        assert "# [services.backend]" in text

    def test_still_reads_when_the_examples_are_uncommented(self, root: Path, write: Write) -> None:
        write("backend/x")
        write("frontend/x")
        lines = initial_toml(detect(root)).split("# Some services")[0].splitlines()
        example = initial_toml(detect(root)).split("to begin with:\n#\n")[1].split("\n\n")[0]
        uncommented = [line.removeprefix("#").removeprefix(" ") for line in example.splitlines()]

        write("devinit.toml", "\n".join([*lines, *uncommented]))

        assert list(load(root).services) == ["postgres", "backend", "frontend"]

    def test_explains_a_key_once(self, root: Path, write: Write) -> None:
        write("backend/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")
        write("frontend/package.json", '{"scripts": {"dev": "vite"}}')

        assert initial_toml(detect(root)).count("moves to the next free one") == 1

    def test_keeps_everything_that_can_be_configured(self, root: Path, write: Write) -> None:
        write("backend/.env")
        text = r"""
            [project]
            name = 'Mein "Lädchen" \ 店'
            discovery_refresh = 0
            [services.api]
            command = "sh -c 'echo \"x\" | cat'"
            directory = "backend"
            host = "0.0.0.0"
            port = 8000
            range = "7990-8010"
            port_env = "API_PORT"
            extra_ports.debugger = 5678
            extra_ports.admin = { port = 9001, ready = true }
            extra_ports.ui = { port = 9002, ready = "/up", url_path = "/ui", scheme = "https" }
            on_conflict = "fail"
            depends_on = ["db", "cache"]
            setup = "uv sync"
            setup_inputs = ["schema/*.graphql", "../codegen.yml"]
            before_start = ["a", "b"]
            ready = { http = "/", status = [200], body = "\\d+", timeout = 1.5 }
            env = { A = "${PORT}\t\u007f\n", B = true }
            env_file = "backend/.env"
            restart = { mode = "always", window = 5 }
            stop = { signal = "INT", grace = 0.5, kill = false }
            logs = { size = "1 MB", count = 1 }
            optional = true
            autostart = false
            warm = "/"
            url_path = "/app"
            docs_path = "/docs"
            [services.backend]
            command = "x"
            port = 9000
            strict_port = true
            stop = {}
            [services.worker]
            command = "y"
            ready.after = 3
            [services.db]
            provider = "postgres"
            database = "d"
            user = "u"
            password = "p"
            binaries = "backend"
            [services.cache]
            provider = "redis"
            url = "rediss://cache.example.com"
            [services.queue]
            provider = "redis"
            port = 6390
            password = "random"
            [environment]
            A = "1"
            [discovery]
            api = "api.json"
            backend = false
        """
        write("devinit.toml", text)
        project = load(root)

        write("devinit.toml", initial_toml(project))

        assert read_alike(load(root)) == read_alike(project)

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        text=st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    )
    def test_keeps_every_text(self, root: Path, text: str) -> None:
        project = structs.replace(detect(root), environment={"A": text})

        (root / "devinit.toml").write_bytes(initial_toml(project).encode())

        assert load(root).environment == {"A": text}

    @pytest.mark.parametrize("policy", list(ConflictPolicy))
    def test_keeps_what_to_do_on_a_conflict(self, root: Path, write: Write, policy: ConflictPolicy) -> None:
        write("devinit.toml", f'[services.a]\ncommand = "x"\nport = 8000\non_conflict = "{policy}"')
        project = load(root)

        write("devinit.toml", initial_toml(project))

        assert read_alike(load(root)) == read_alike(project)
