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
        "imported", ["from src.app import app, connect", "from .app import app, connect"]
    )
    def test_is_served_by_the_file_that_a_dockerfile_names_and_that_imports_it(
        self, write: Write, root: Path, imported: str
    ) -> None:
        write("accounts/requirements.txt", "fastapi\nuvicorn\n")
        write("accounts/src/app.py", f"{FASTAPI}\ndef connect(): ...\n")
        write("accounts/src/main.py", f"import os\n\n{imported}\n\nconnect()\n")
        write("accounts/Dockerfile", 'FROM python\nCMD ["uvicorn", "src.main:app", "--port", "8012"]\n')

        project = detect(root)

        (service,) = project.services.values()
        assert service.command == f"uvicorn src.main:app {UVICORN}"
        assert service.port is not None
        assert service.port.preferred == 8012
        assert project.evidence[service.name][0].place == "accounts/src/main.py, line 3"

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

    @pytest.mark.parametrize(
        ("factory", "main"),
        [
            (
                "def build():\n    return FastAPI()\n\ndef create_app():\n    return build()\n",
                "app = create_app()",
            ),
            ("class Builder:\n    def build(self):\n        return FastAPI()\n", "app = Builder().build()"),
            (
                "class Builder:\n    def build(self):\n        return FastAPI()\n",
                "b = Builder()\napp = b.build()",
            ),
            ("class Server:\n    def __init__(self):\n        self.app = FastAPI()\n", "app = Server().app"),
            ("class Shop(FastAPI):\n    pass\n", "app = Shop()"),
            ("def create_app():\n    app = FastAPI()\n    return app\n", "app = factory.create_app()"),
            ("def create_app() -> FastAPI:\n    ...\n", "if True:\n    app: FastAPI = create_app()"),
        ],
    )
    def test_may_be_made_by_functions_and_classes_of_other_files(
        self, write: Write, backend: Backend, factory: str, main: str
    ) -> None:
        write("backend/shop/factory.py", f"from fastapi import FastAPI\n\n{factory}")
        write("backend/shop/main.py", f"from shop import factory\nfrom shop.factory import *\n\n{main}\n")

        assert backend().command == f"uvicorn shop.main:app {UVICORN}"

    def test_is_what_is_wrapped_around_it(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", f"{FASTAPI}sio = AsyncServer()\nserver = socketio.ASGIApp(sio, app)\n")

        assert backend().command == f"uvicorn main:server {UVICORN}"

    @pytest.mark.parametrize(
        "source",
        [
            "from shop.models import FastAPI\n\napp = FastAPI()\n",
            "def helper():\n    app = FastAPI()\n",
            'if __name__ == "__main__":\n    app = FastAPI()\n',
            "client = TestClient(FastAPI())\n",
        ],
    )
    def test_is_nothing_else_of_that_name(self, root: Path, write: Write, source: str) -> None:
        write("backend/main.py", source)

        assert detect(root).services == {}

    @pytest.mark.parametrize(
        ("files", "directory", "target"),
        [
            (
                {"backend/app/main.py": "from app.db import x", "backend/app/db.py": ""},
                "backend",
                "app.main:app",
            ),
            (
                {"backend/app/main.py": "from db import x", "backend/app/db.py": ""},
                "backend",
                "--app-dir app main:app",
            ),
            ({"backend/main.py": "from backend.db import x", "backend/db.py": ""}, "", "backend.main:app"),
            ({"backend/main.py": "from .db import x", "backend/db.py": ""}, "", "backend.main:app"),
            (
                {"app/main.py": "from app import db", "app/db.py": "", "pyproject.toml": ""},
                "",
                "app.main:app",
            ),
            (
                {"server/main.py": "import db", "server/db.py": "", "requirements.txt": ""},
                "server",
                "main:app",
            ),
            ({"tool/api.py": "", "tool/__init__.py": "", "pyproject.toml": ""}, "", "tool.api:app"),
        ],
    )
    def test_is_imported_from_where_its_own_imports_resolve(
        self,
        root: Path,
        write: Write,
        backend: Backend,
        *,
        files: dict[str, str],
        directory: str,
        target: str,
    ) -> None:
        for name, text in files.items():
            write(name, f"{text}\n{FASTAPI}" if name.endswith(("main.py", "api.py")) else text)

        service = backend()

        assert service.command == f"uvicorn {target} {UVICORN}"
        assert service.directory == root / directory

    @pytest.mark.parametrize(
        ("framework", "source", "requirements", "command"),
        [
            (
                "Litestar",
                "from litestar import Litestar",
                "litestar[standard]",
                f"litestar --app main:app run {UVICORN}",
            ),
            ("Litestar", "from litestar import Litestar", "litestar\nuvicorn", f"uvicorn main:app {UVICORN}"),
            (
                "Quart",
                "from quart import Quart",
                "quart",
                "hypercorn --bind 127.0.0.1:${PORT} --reload main:app",
            ),
            (
                "FastAPI",
                "from fastapi import FastAPI",
                "fastapi\ngranian[reload]",
                f"granian --interface asgi {UVICORN} main:app",
            ),
            (
                "Sanic",
                "from sanic import Sanic",
                "sanic",
                "sanic main:app --host 127.0.0.1 --port ${PORT} --dev",
            ),
        ],
    )
    def test_is_served_by_what_is_installed_for_it(
        self, write: Write, backend: Backend, *, framework: str, source: str, requirements: str, command: str
    ) -> None:
        write("backend/main.py", f"{source}\n\napp = {framework}()\n")
        write("backend/requirements.txt", requirements)

        assert backend().command == command

    @pytest.mark.parametrize(
        "call", ['uvicorn.run("main:app", port=8085)', "uvicorn.run(app, host='0.0.0.0', port=8085)"]
    )
    def test_prefers_the_port_that_its_code_names(
        self, root: Path, write: Write, backend: Backend, call: str
    ) -> None:
        write("backend/main.py", f'import uvicorn\n{FASTAPI}if __name__ == "__main__":\n    {call}\n')

        port = backend().port

        assert port is not None
        assert (port.preferred, port.strict) == (8085, False)
        assert [each.place for each in detect(root).evidence["backend"] if each.about == "port"] == [
            "backend/main.py, line 6"
        ]

    def test_in_a_file_that_is_being_changed_is_still_there(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", f'{FASTAPI}@app.get("/health")\ndef health(:\n')

        service = backend()

        assert service.command == f"uvicorn main:app {UVICORN}"
        assert service.ready.http == "/health"

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

    @pytest.mark.parametrize(
        ("arguments", "path"),
        [
            ('docs_url="/docs"', "/docs"),
            ('docs_url="/api/docs"', "/api/docs"),
            ('openapi_url="/api/openapi.json"', "/docs"),
            ("openapi_url=None", None),
            ("docs_url=settings.DOCS", None),
        ],
    )
    def test_has_its_documentation_where_the_source_puts_it(
        self, write: Write, backend: Backend, arguments: str, path: str | None
    ) -> None:
        write("backend/main.py", f"app = FastAPI({arguments})\n")

        assert backend().docs_path == path

    def test_is_the_factory_that_uvicorn_is_started_with(self, write: Write, backend: Backend) -> None:
        write("backend/server.py", "def create_app() -> FastAPI:\n    return FastAPI()\n")
        write(
            "backend/app.py",
            'import uvicorn\nfrom server import create_app\nif __name__ != "__main__":\n    app = create_app()\n'
            'if __name__ == "__main__":\n    uvicorn.run(app="server:create_app", factory=True)\n',
        )

        assert backend().command == f"uvicorn server:create_app --factory {UVICORN}"

    def test_is_made_when_the_module_is_imported_alone(self, write: Write, backend: Backend) -> None:
        write("backend/app.py", 'if __name__ != "__main__":\n    app = FastAPI()\n')

        assert backend().command == f"uvicorn app:app {UVICORN}"


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

    def test_has_nothing_to_migrate_without_a_database(self, write: Write, backend: Backend) -> None:
        write("backend/manage.py", 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n')
        write("backend/shop/settings.py", "DATABASES = {}\n")

        assert backend().before_start == ()

    def test_is_not_every_manage_py(self, root: Path, write: Write) -> None:
        write("backend/manage.py", "from flask_script import Manager\n")

        assert detect(root).services == {}


class TestAWorker:
    @pytest.mark.parametrize(
        ("source", "command"),
        [
            ('from celery import Celery\n\napp = Celery("x")\n', "celery -A jobs worker --loglevel INFO"),
            ('from celery import Celery\n\nc = Celery("x")\n', "celery -A jobs:c worker --loglevel INFO"),
            ("class WorkerSettings:\n    functions = []\n", "arq jobs.WorkerSettings"),
            ("from huey import RedisHuey\n\nhuey = RedisHuey()\n", "huey_consumer jobs.huey"),
            ("import dramatiq\n\n@dramatiq.actor\ndef work(): ...\n", "dramatiq jobs"),
            (
                "from rq import Queue\n\nq = Queue('high', connection=c)\n",
                "rq worker --url ${REDIS_URL} high",
            ),
            (
                "from taskiq_redis import ListQueueBroker\n\nb = ListQueueBroker(u)\n",
                "taskiq worker jobs:b --fs-discover",
            ),
        ],
    )
    def test_is_started_where_the_code_names_its_queue(
        self, root: Path, write: Write, source: str, command: str
    ) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/jobs.py", source)
        write("backend/requirements.txt", "redis\n")

        worker = detect(root).services["worker"]

        assert (worker.command, worker.directory, worker.port) == (command, root / "backend", None)
        assert worker.depends_on == ("redis",)

    def test_of_taskiq_may_have_a_backend_for_results(self, root: Path, write: Write) -> None:
        write(
            "backend/jobs.py",
            "from taskiq_redis import ListQueueBroker\n\nb = ListQueueBroker(u).with_result_backend(r)\n",
        )

        assert detect(root).services["worker"].command == "taskiq worker jobs:b --fs-discover"

    def test_has_a_clock_where_the_code_gives_it_something_to_do(self, root: Path, write: Write) -> None:
        write(
            "backend/jobs.py", 'from celery import Celery\n\napp = Celery("x")\napp.conf.beat_schedule = {}\n'
        )
        write("backend/requirements.txt", "celery[redis]\n")

        assert detect(root).services["beat"].command == "celery -A jobs beat --loglevel INFO"

    def test_of_celery_with_another_broker_waits_for_its_developer(self, root: Path, write: Write) -> None:
        write("backend/jobs.py", 'from celery import Celery\n\napp = Celery("x", broker="amqp://h")\n')

        assert [each.autostart for each in detect(root).services.values()] == [False]

    def test_of_celery_without_a_broker_is_named(self, root: Path, write: Write) -> None:
        write("backend/jobs.py", 'from celery import Celery\n\napp = Celery("x")\n')

        project = detect(root)

        assert project.services == {}
        assert project.notes[0].startswith("backend/jobs.py, line 3: the worker of Celery is not started")

    @pytest.mark.parametrize(
        ("application", "command"),
        [("django_q", "qcluster"), ("huey.contrib.djhuey", "run_huey"), ("django_rq", "rqworker default")],
    )
    def test_of_django_is_started_where_it_is_installed(
        self, root: Path, write: Write, application: str, command: str
    ) -> None:
        write("manage.py", 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n')
        write("shop/settings.py", f'INSTALLED_APPS = ["{application}"]\n')

        assert detect(root).services["worker"].command == f"python manage.py {command}"


class TestMigrations:
    def test_of_alembic_run_before_the_start(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/alembic.ini", "[alembic]\nscript_location = %(here)s/db/migrations\n")
        write("backend/db/migrations/versions/1_first.py")

        assert backend().before_start == ("python -m alembic upgrade head",)

    def test_of_alembic_without_a_revision_have_nothing_to_do(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/alembic.ini", "[alembic]\nscript_location = alembic\n")
        write("backend/alembic/env.py")

        assert backend().before_start == ()

    def test_are_not_invented(self, write: Write, backend: Backend) -> None:
        write("backend/main.py", FASTAPI)

        assert backend().before_start == ()


@pytest.mark.usefixtures("have")
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

    def test_is_made_without_an_installer_that_the_machine_does_not_have(
        self, root: Path, write: Write, have: Path
    ) -> None:
        (have / "uv").unlink()
        write("backend/main.py", FASTAPI)
        write("backend/uv.lock")

        (note,) = detect(root).notes

        assert "`cd backend && python3 -m venv .venv && .venv/bin/pip install uv && .venv/bin/uv sync" in note

    def test_of_a_workspace_is_made_at_its_root(self, root: Path, write: Write) -> None:
        write("pyproject.toml", '[tool.uv.workspace]\nmembers = ["services/*"]\n')
        write("uv.lock")
        for name in ("orders", "users"):
            write(f"services/{name}/pyproject.toml", '[project]\nname = "x"\n')
            write(f"services/{name}/main.py", FASTAPI)

        assert detect(root).notes == (
            "services/orders/, services/users/: no virtual environment (.venv) yet; `uv sync --all-packages` makes one",
        )

    def test_is_not_noted_for_settings_of_tools(self, root: Path, write: Write) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/pyproject.toml", "[tool.ruff]\n")

        assert detect(root).notes == ()

    @pytest.mark.parametrize("name", ["hc-venv", "env", ".env3"])
    def test_is_there_under_any_name(self, root: Path, write: Write, name: str) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/requirements.txt", "fastapi\n")
        write(f"backend/{name}/pyvenv.cfg")

        assert detect(root).notes == ()

    @pytest.mark.parametrize("place", ["backend/.venv", "backend/venv", ".venv"])
    def test_is_not_noted_when_there_is_one(self, root: Path, write: Write, place: str) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/requirements.txt")
        write(f"{place}/bin/python")

        assert detect(root).notes == ()

    def test_is_not_noted_when_nothing_has_to_be_installed(self, root: Path, write: Write) -> None:
        write("backend/main.py", FASTAPI)

        assert detect(root).notes == ()


class TestAnApplicationOfAnotherModule:
    """The module that runs it may be the one that adds its routes."""

    CONFIG = "from flask import Flask\n\napp = Flask(__name__)\n"

    def test_is_served_by_what_runs_it(self, write: Write, backend: Backend) -> None:
        write("backend/config.py", self.CONFIG)
        write(
            "backend/app.py", "from config import app\n\nif __name__ == '__main__':\n    app.run(port=5555)\n"
        )

        service = backend()

        assert service.command == "flask --app app run --host 127.0.0.1 --port ${PORT} --debug"
        assert service.port is not None
        assert service.port.preferred == 5555

    def test_is_one_of_a_server_of_asgi(self, write: Write, backend: Backend) -> None:
        write("backend/requirements.txt", "fastapi\nuvicorn\n")
        write("backend/core/application.py", f"{FASTAPI}\n@app.get('/health')\ndef health(): ...\n")
        write(
            "backend/run.py",
            "import uvicorn\nfrom core.application import app\n\n"
            "@app.get('/items')\ndef items(): ...\n\nuvicorn.run(app, port=8123)\n",
        )

        service = backend()

        assert service.command == f"uvicorn run:app {UVICORN}"
        assert service.port is not None
        assert service.port.preferred == 8123
        assert service.ready.http == "/health"

    def test_is_served_from_a_package_that_imports_it_relatively(
        self, write: Write, backend: Backend
    ) -> None:
        write("backend/shop/__init__.py", "")
        write("backend/shop/base.py", self.CONFIG)
        write(
            "backend/shop/routes.py",
            "from .base import app\n\n@app.route('/')\ndef index(): ...\n\napp.run()\n",
        )

        assert backend().command == "flask --app shop.routes run --host 127.0.0.1 --port ${PORT} --debug"

    def test_is_not_said_to_be_a_second_one(self, root: Path, write: Write) -> None:
        write("backend/config.py", self.CONFIG)
        write("backend/app.py", "from config import app\n\napp.run()\n")

        assert not [note for note in detect(root).notes if "too" in note]

    def test_stays_where_a_command_names_it(self, write: Write, backend: Backend) -> None:
        write("backend/config.py", self.CONFIG)
        write("backend/run.py", "from config import app\n\napp.run()\n")
        write("backend/Procfile", "web: gunicorn config:app\n")

        assert (backend().command or "").startswith("flask --app config ")

    @pytest.mark.parametrize("line", ["from elsewhere import app", "from ..config import app", "import app"])
    def test_is_none_where_it_is_not_found(self, root: Path, write: Write, line: str) -> None:
        write("backend/app.py", f"{line}\n\napp.run()\n")

        assert not detect(root).services

    def test_is_none_of_another_folder(self, root: Path, write: Write) -> None:
        write("backend/config.py", self.CONFIG)
        write("backend/requirements.txt", "flask\n")
        write("serve.py", "from backend.config import app\n\napp.run()\n")

        assert [each.directory for each in detect(root).services.values()] == [root / "backend"]
