from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.model.service import Service

Write = Callable[..., Path]

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
UVICORN = "--host 127.0.0.1 --port ${PORT} --reload"


@pytest.fixture
def backend(root: Path) -> Callable[[], Service]:
    """Return what is detected in backend/."""
    return lambda: detect(root).services["backend"]


Backend = Callable[[], Service]


class TestAnAsgiApplication:
    @pytest.mark.parametrize(
        ("file", "target"),
        [
            ("main.py", "main:app"),
            ("app/main.py", "app.main:app"),
            ("app/__init__.py", "app:app"),
            ("shop/web/server.py", "shop.web.server:app"),
            ("src/main.py", "--app-dir src main:app"),
            ("src/shop/main.py", "--app-dir src shop.main:app"),
            ("my-service/main.py", "--app-dir my-service main:app"),
        ],
    )
    def test_is_served_from_where_it_is(
        self, write: Write, backend: Backend, root: Path, file: str, target: str
    ) -> None:
        write(f"backend/{file}", FASTAPI)

        service = backend()

        assert service.command == f"uvicorn {target} {UVICORN}"
        assert service.directory == root / "backend"

    @pytest.mark.parametrize(
        ("line", "attribute"),
        [
            ("application = FastAPI(title='x')", "application"),
            ("app: FastAPI = FastAPI(", "app"),
            ("api = fastapi.FastAPI()", "api"),
            ("app = Starlette(routes=[])", "app"),
        ],
    )
    def test_may_be_written_in_several_ways(
        self, write: Write, backend: Backend, line: str, attribute: str
    ) -> None:
        write("backend/main.py", f"import fastapi\n{line}\n")

        assert backend().command == f"uvicorn main:{attribute} {UVICORN}"

    def test_is_imported_by_src_when_the_code_does_so(self, write: Write, backend: Backend) -> None:
        write("backend/src/main.py", f"from src.settings import settings\n{FASTAPI}")

        assert backend().command == f"uvicorn src.main:app {UVICORN}"

    def test_may_be_made_by_a_factory(self, write: Write, backend: Backend) -> None:
        write(
            "backend/app/main.py",
            "def create_app(debug: bool = False) -> FastAPI:\n    app = FastAPI()\n    return app\n",
        )

        assert backend().command == f"uvicorn app.main:create_app --factory {UVICORN}"

    def test_is_the_object_rather_than_the_factory(self, write: Write, backend: Backend) -> None:
        write("backend/app/factory.py", "def create_app():\n    return FastAPI()\n\nVERSION = 1\n")
        write("backend/app/main.py", "from app.factory import create_app\n\napp = create_app()\n")

        assert backend().command == f"uvicorn app.main:app {UVICORN}"

    def test_is_not_a_factory_that_needs_arguments(self, root: Path, write: Write) -> None:
        write("backend/main.py", "def create_app(settings):\n    return FastAPI()\n")

        assert detect(root).services == {}

    @pytest.mark.parametrize(
        "source",
        ['"""Example:\n\napp = FastAPI()\n"""\n', "# app = FastAPI()\n", "    app = FastAPI()\n"],
        ids=["docstring", "comment", "local"],
    )
    def test_is_not_a_mention_of_one(self, root: Path, write: Write, source: str) -> None:
        write("backend/main.py", source)

        assert detect(root).services == {}

    @pytest.mark.parametrize("folder", [".venv/lib", "node_modules/x", "tests", "__pycache__"])
    def test_is_not_an_installed_or_a_tested_one(self, root: Path, write: Write, folder: str) -> None:
        write(f"backend/{folder}/main.py", FASTAPI)

        assert detect(root).services == {}

    def test_in_the_usual_place_is_preferred(self, write: Write, backend: Backend) -> None:
        write("backend/admin.py", FASTAPI)
        write("backend/app/main.py", FASTAPI)

        assert backend().command == f"uvicorn app.main:app {UVICORN}"

    def test_has_its_documentation_at_docs(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", FASTAPI)

        assert backend().docs_path == "/docs"

    def test_has_no_documentation_where_the_source_moves_it(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", "app = FastAPI(docs_url=None)\n")

        assert backend().docs_path is None


class TestReadiness:
    @pytest.mark.parametrize(
        "route",
        [
            '@app.get("/health")\nasync def health(): ...',
            "@app.get(\n    '/health',\n)\nasync def health(): ...",
        ],
    )
    def test_is_the_health_route_of_the_application(self, write: Write, backend: Backend, route: str) -> None:
        write("backend/main.py", f"{FASTAPI}\n{route}\n")

        assert backend().ready.http == "/health"

    @pytest.mark.parametrize(
        "route",
        ['@router.get("/health")', '@app.get("/healthy")', '# @app.get("/health")', '@app.post("/health")'],
    )
    def test_is_a_connection_when_the_route_is_not_clear(
        self, write: Write, backend: Backend, route: str
    ) -> None:
        write("backend/main.py", f"{FASTAPI}\n{route}\nasync def health(): ...\n")

        assert backend().ready.http is None


class TestFlask:
    @pytest.mark.parametrize(
        ("source", "target"),
        [
            ("app = Flask(__name__)", "main"),
            ("site = Flask(__name__)", "main:site"),
            ("def create_app():\n    return Flask(__name__)", "main"),
        ],
    )
    def test_is_run_by_its_own_command(
        self, write: Write, backend: Backend, source: str, target: str
    ) -> None:
        write("backend/main.py", f"from flask import Flask\n{source}\n")

        assert backend().command == f"flask --app {target} run --host 127.0.0.1 --port ${{PORT}} --debug"


class TestDjango:
    def test_is_run_by_manage_py(self, write: Write, backend: Backend) -> None:
        write("backend/manage.py", "from django.core.management import execute_from_command_line\n")

        service = backend()

        assert service.command == "python manage.py runserver 127.0.0.1:${PORT}"
        assert service.before_start == ("python manage.py migrate --noinput",)


class TestMigrations:
    def test_of_alembic_run_before_the_start(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/alembic.ini")

        assert backend().before_start == ("python -m alembic upgrade head",)

    def test_are_not_invented(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", FASTAPI)

        assert backend().before_start == ()


class TestAMissingEnvironment:
    @pytest.mark.parametrize(
        ("file", "command"),
        [
            ("uv.lock", "cd backend && uv sync"),
            ("poetry.lock", "cd backend && poetry install"),
            (
                "requirements.txt",
                "cd backend && python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
            ),
        ],
    )
    def test_is_noted_with_the_command_that_makes_it(
        self, root: Path, write: Write, file: str, command: str
    ) -> None:
        write("backend/main.py", FASTAPI)
        write(f"backend/{file}")

        assert detect(root).notes == (f"backend/: no virtual environment (.venv) yet; `{command}` makes one",)

    @pytest.mark.parametrize("place", ["backend/.venv", "backend/venv", ".venv"])
    def test_is_not_noted_when_there_is_one(self, root: Path, write: Write, place: str) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/requirements.txt")
        write(f"{place}/bin/python")

        assert detect(root).notes == ()

    def test_is_not_noted_when_nothing_has_to_be_installed(self, root: Path, write: Write) -> None:
        write("backend/main.py", FASTAPI)

        assert detect(root).notes == ()
