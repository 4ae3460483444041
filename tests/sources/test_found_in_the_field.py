"""Specifies what is found in projects as people have them, where a guess that nobody sees would be wrong."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from devinit.config.detected import detect
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.redis.kind import RedisSettings
from devinit.model.service import Project, Service

Write = Callable[..., Path]
Found = Callable[[dict[str, str]], Project]

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"


@pytest.fixture
def found(root: Path, write: Write) -> Found:
    """Return what is detected in files with these texts."""

    def detecting(files: dict[str, str]) -> Project:
        for name, text in files.items():
            write(name, textwrap.dedent(text))
        return detect(root)

    return detecting


def package(scripts: dict[str, str], **keys: object) -> str:
    return json.dumps({"scripts": scripts, **keys})


def port_of(service: Service) -> int | None:
    return service.port.preferred if service.port else None


class TestPagesOfNodeAroundABackendInPython:
    FILES: ClassVar[dict[str, str]] = {
        "package.json": package({"start": "npm-run-all --parallel watch:lib serve", "watch:lib": "tsup --watch",
                                 "serve": "webpack-dev-server"},
                                devDependencies={"webpack-dev-server": "4", "npm-run-all": "4"}),
        "requirements.txt": "flask\nredis\n",
        "shop/app.py": """\
            from flask import Flask

            class Shop(Flask):
                def __init__(self):
                    super().__init__(__name__)

            def create_app():
                app = Shop()
                return app
            """,
        "shop/wsgi.py": "from shop.app import create_app\n\napp = create_app()\n",
        "Dockerfile": 'FROM python:3.12-slim\nWORKDIR /app\nENTRYPOINT ["/app/bin/docker-entrypoint"]\nCMD ["server"]\n',
        "bin/docker-entrypoint": 'case "$1" in\n  dev_server) exec /app/manage.py runserver ;;\nesac\n',
        "compose.yaml": """\
            services:
              server:
                build: .
                command: dev_server
                ports: ["5001:5000"]
                environment: {SHOP_HOST: "http://localhost:5001"}
              worker:
                build: .
                command: ["celery", "-A", "shop.tasks", "worker"]
              redis: {image: redis}
            """,
    }  # fmt: skip

    def test_are_not_what_the_container_of_that_language_runs(self, found: Found) -> None:
        pages = found(self.FILES).services["frontend"]

        assert port_of(pages) != 5001
        assert "SHOP_HOST" not in pages.env

    def test_are_started_beside_it(self, found: Found) -> None:
        services = found(self.FILES).services

        assert (
            services["backend"].command == "flask --app shop.wsgi run --host 127.0.0.1 --port ${PORT} --debug"
        )
        assert port_of(services["backend"]) == 5001
        assert services["backend"].env == {"SHOP_HOST": "http://localhost:${BACKEND_PORT}"}
        assert services["worker"].command == "celery -A shop.tasks worker"


class TestAPackageThatIsCalledAsALibrary:
    def test_is_imported_from_where_its_other_imports_resolve(self, found: Found, root: Path) -> None:
        services = found(
            {
                "backend/requirements.txt": "fastapi\ncelery\nredis\n",
                "backend/shop/__init__.py": "",
                "backend/shop/main.py": FASTAPI,
                "backend/shop/settings.py": "",
                "backend/shop/celery/__init__.py": "",
                "backend/shop/celery/queue.py": """\
                    from celery import Celery
                    from shop.settings import settings

                    queue = Celery("shop")
                    """,
            }
        ).services

        assert services["worker"].command == "celery -A shop.celery.queue:queue worker --loglevel INFO"
        assert services["worker"].directory == root / "backend"


class TestADatabaseThatIsChosenLater:
    GO: ClassVar[dict[str, str]] = {
        "go.mod": """\
            module shop

            require (
                github.com/lib/pq v1.10.9
                github.com/go-sql-driver/mysql v1.9.3
                modernc.org/sqlite v1.38.2
            )
            """,
        "main.go": """\
            package main

            import "net/http"

            func main() { http.ListenAndServe(":8081", nil) }
            """,
    }

    def test_is_not_started_beside_a_driver_of_sqlite(self, found: Found) -> None:
        project = found(self.GO)

        assert list(project.services) == ["backend"]
        assert (
            "go.mod, line 4: no PostgreSQL is started for lib/pq, because go.mod has drivers of MySQL and SQLite, too; "
            'a [services.postgres] with `provider = "postgres"` in devinit.toml adds it' in project.notes
        )
        assert not any("needs MySQL" in each for each in project.notes)

    def test_is_started_where_an_address_names_it(self, found: Found) -> None:
        project = found({**self.GO, ".env.example": "DSN=postgres://shop:shop@localhost:5432/shop\n"})

        assert list(project.services) == ["postgres", "backend"]

    def test_is_sqlite_where_the_address_is_put_together(self, found: Found) -> None:
        project = found(
            {
                "requirements.txt": "flask\npsycopg2-binary\n",
                "shop.py": "from flask import Flask\n\napp = Flask(__name__)\n",
                "config.py": "import os\n\nURI = os.environ.get('DATABASE_URL') or \\\n    'sqlite:///' + os.path.join('.', 'app.db')\n",
            }
        )

        assert list(project.services) == ["backend"]


class TestLaravel:
    FILES: ClassVar[dict[str, str]] = {
        "artisan": "",
        "composer.json": '{"require": {"laravel/framework": "^12.0"}}\n',
        ".env.example": "DB_CONNECTION=sqlite\nQUEUE_CONNECTION=database\nREDIS_HOST=127.0.0.1\nREDIS_PORT=6379\n",
    }

    def test_has_no_redis_where_nothing_is_kept_in_it(self, found: Found) -> None:
        assert list(found(self.FILES).services) == ["backend", "worker"]

    def test_has_redis_where_something_is(self, found: Found) -> None:
        settings = self.FILES[".env.example"] + "CACHE_STORE=redis\n"

        assert "redis" in found({**self.FILES, ".env.example": settings}).services


class TestPagesThatCallAPortOfTheirHost:
    def test_keep_the_backend_there_whatever_a_container_publishes(self, found: Found) -> None:
        project = found(
            {
                "package.json": package({"dev": "vite"}, devDependencies={"vite": "6"}),
                "index.html": "",
                "src/lib/constants.ts": "export const HOST = dev ? `${location.hostname}:8080` : '';\n",
                "backend/requirements.txt": "fastapi\n",
                "backend/main.py": FASTAPI,
                "docker-compose.yml": """\
                    services:
                      shop:
                        build: .
                        ports: ["3000:8080"]
                    """,
                "Dockerfile": 'FROM python:3.12\nWORKDIR /app/backend\nCOPY backend .\nCMD ["bash", "start.sh"]\n',
            }
        )
        backend = project.services["backend"]

        assert (port_of(backend), backend.port and backend.port.strict) == (8080, True)


class TestPhoenix:
    FILES: ClassVar[dict[str, str]] = {
        "mix.exs": 'defp deps do\n  [{:phoenix, "~> 1.7"}, {:ecto_ch, "~> 0.3"}]\nend\n',
        "config/dev.exs": "import Config\n",
    }

    def test_may_read_its_port_by_a_function_of_its_own(self, found: Found) -> None:
        runtime = 'http_port = get_int_from_path_or_env(config_dir, "HTTP_PORT", 8000)\n'
        backend = found({**self.FILES, "config/runtime.exs": runtime}).services["backend"]

        assert (port_of(backend), backend.port_env) == (8000, ("HTTP_PORT",))
        assert backend.port is not None
        assert not backend.port.strict

    def test_of_which_no_port_is_known_is_not_kept_on_the_usual_one(self, found: Found) -> None:
        port = found(self.FILES).services["backend"].port

        assert port is not None
        assert (port.preferred, port.strict) == (4000, False)

    def test_names_the_server_that_devinit_does_not_run(self, found: Found) -> None:
        assert any("ecto_ch needs ClickHouse" in each for each in found(self.FILES).notes)


class TestDotnetWithPagesOfItsOwn:
    FILES: ClassVar[dict[str, str]] = {
        "src/Web/Web.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web">\n</Project>\n',
        "src/Web/ClientApp/package.json": package(
            {"start": "run-script-os", "start:windows": "ng serve --port 44447 --ssl",
             "start:default": "ng serve --port 44447 --ssl"},
            devDependencies={"@angular/cli": "18"}),
        "src/Data/Data.csproj": """\
            <Project Sdk="Microsoft.NET.Sdk">
              <PackageReference Include="Microsoft.EntityFrameworkCore.SqlServer" />
            </Project>
            """,
    }  # fmt: skip

    def test_has_the_script_for_this_system(self, found: Found) -> None:
        frontend = found(self.FILES).services["frontend"]

        assert (frontend.command, port_of(frontend)) == ("npm run start", 44447)

    def test_names_the_database_that_a_project_beside_it_uses(self, found: Found) -> None:
        assert any("SqlServer needs SQL Server" in each for each in found(self.FILES).notes)


class TestAWorkspaceInAFolderThatIsNamedAsAProgram:
    def test_is_its_members_and_not_the_script_that_starts_them_all(self, found: Found, root: Path) -> None:
        project = found(
            {
                "client/package.json": package({"dev": "turbo run dev"}, devDependencies={"turbo": "2"}),
                "client/pnpm-workspace.yaml": "packages:\n  - apps/*\n",
                "client/apps/shop/package.json": package({"dev": "vite"}, devDependencies={"vite": "6"}),
                "client/apps/shop/index.html": "",
            }
        )

        assert [each.directory for each in project.services.values()] == [root / "client/apps/shop"]


class TestAProgramOfGoThatAnswersNoRequests:
    def test_is_named_where_its_name_says_that_it_works(self, found: Found) -> None:
        main = "package main\n\nfunc main() {}\n"
        project = found(
            {
                "go.mod": "module shop\n",
                "cmd/api/main.go": 'package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe(":8080", nil) }\n',
                "cmd/worker/main.go": main,
                "cmd/seed/main.go": main,
            }
        )

        assert list(project.services) == ["backend"]
        assert [each for each in project.notes if "cmd" in each] == [
            (
                "cmd/worker/main.go, line 1: worker is not started, because nothing shows what it works off; "
                'a [services.worker] with `command = "go run ./cmd/worker"` in devinit.toml starts it'
            )
        ]


class TestAWorkerThatAContainerStartsByACommandOfDjango:
    FILES: ClassVar[dict[str, str]] = {
        "backend/requirements.txt": "django\ncelery[redis]\n",
        "backend/manage.py": 'import os\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
        "backend/shop/settings.py": "DATABASES = {}\n",
        "backend/shop/celery.py": 'from celery import Celery\n\napp = Celery("shop")\n',
        "backend/Dockerfile": "FROM python:3.12\nWORKDIR /app\nCOPY . .\n",
        "docker-compose.yml": """\
            services:
              broker: {image: redis}
              celery:
                build: ./backend
                command: python manage.py celery
                environment: {BROKER_URL: "redis://broker:6379/0"}
            """,
    }

    def test_is_the_one_of_the_code(self, found: Found) -> None:
        services = found(self.FILES).services

        assert list(services) == ["redis", "backend", "worker"]
        assert services["worker"].command == "celery -A shop.celery worker --loglevel INFO"
        assert services["worker"].env == {"BROKER_URL": "redis://${REDIS_HOST}:${REDIS_PORT}/0"}


class TestAPasswordOfRedis:
    def test_is_none_where_its_variable_is_empty(self, root: Path, found: Found) -> None:
        found(
            {
                "docker-compose.yml": """\
                    services:
                      cache:
                        image: redis
                        command: redis-server --requirepass ${SHOP_PASSWORD} --appendonly yes
                    """
            }
        )

        assert detect(root).services["redis"].settings == RedisSettings()


class TestAServiceThatOthersAreBuiltFrom:
    def test_is_not_the_server_whose_port_another_one_publishes(self, found: Found) -> None:
        project = found(
            {
                "Gemfile": 'gem "rails"\n',
                "bin/rails": "",
                "Procfile.dev": "web: bin/rails s -p 3000\n",
                "Dockerfile": "FROM ruby:3.3\nWORKDIR /app\nCOPY . .\n",
                "docker-compose.yml": """\
                    services:
                      base: &base {build: .}
                      rails:
                        <<: *base
                        command: bundle exec rails s -p 3000 -b 0.0.0.0
                        ports: ["3000:3000"]
                        environment: {SHOP: "1"}
                    """,
            }
        )

        assert project.services["web"].env["SHOP"] == "1"
        assert not any("(rails)" in each for each in project.notes)


class TestABrokerOfCelery:
    FILES: ClassVar[dict[str, str]] = {
        "requirements.txt": "fastapi\ncelery\nredis\npydantic-settings\n",
        "main.py": FASTAPI,
        "settings.py": """\
            from pydantic_settings import BaseSettings

            class Settings(BaseSettings):
                CELERY_BROKER_URL: str = "amqp://shop:shop@localhost:5672/"
                CELERY_BACKEND_URL: str = "redis://localhost:6379/0"
            """,
        "tasks.py": "from celery import Celery\n\napp = Celery('shop')\n",
    }

    def test_that_devinit_does_not_run_is_named_and_no_worker_waits_for_it(self, found: Found) -> None:
        project = found(self.FILES)

        assert [name for name, each in project.services.items() if each.autostart] == ["redis", "backend"]
        assert (
            "tasks.py, line 3: the worker of Celery is not started by itself, because its broker is RabbitMQ "
            "(settings.py, line 4), which devinit does not provide" in project.notes
        )

    def test_holds_back_the_worker_of_a_container_as_well(self, found: Found) -> None:
        project = found(
            {
                **self.FILES,
                "Dockerfile": "FROM python:3.12\nWORKDIR /app\nCOPY . .\n",
                "docker-compose.yml": """\
                    services:
                      queue: {build: ., command: celery -A tasks worker -l INFO}
                      redis: {image: redis}
                    """,
            }
        )

        assert [each.autostart for each in project.services.values() if each.port is None] == [False]

    def test_is_the_one_that_a_file_of_variables_names(self, found: Found) -> None:
        env = "CELERY_BROKER_URL=redis://localhost:6379/1\n"

        assert found({**self.FILES, ".env.example": env}).services["worker"].autostart


class TestMigrations:
    FLASK: ClassVar[dict[str, str]] = {
        "requirements.txt": "flask\nflask-migrate\n",
        "shop.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        "migrations/env.py": "",
        "migrations/versions/1_first.py": "",
    }
    FASTAPI: ClassVar[dict[str, str]] = {
        "requirements.txt": "fastapi\nalembic\n",
        "shop/main.py": FASTAPI,
        "shop/db/migrations/alembic.ini": "[alembic]\nscript_location = shop/db/migrations\n",
        "shop/db/migrations/versions/1_first.py": "",
    }

    def test_of_flask_are_run_by_its_own_command(self, found: Found) -> None:
        assert found(self.FLASK).services["backend"].before_start == ("flask --app shop db upgrade",)

    def test_of_flask_without_a_revision_are_none(self, found: Found) -> None:
        first = {name: text for name, text in self.FLASK.items() if "versions" not in name}

        assert found(first).services["backend"].before_start == ()

    def test_that_a_script_runs_from_elsewhere_are_run_alike(self, found: Found) -> None:
        run = "#!/bin/sh\nalembic -c shop/db/migrations/alembic.ini upgrade head\nuvicorn shop.main:app\n"

        assert found({**self.FASTAPI, "run.sh": run}).services["backend"].before_start == (
            "python -m alembic -c shop/db/migrations/alembic.ini upgrade head",
        )

    def test_that_nothing_runs_are_named(self, found: Found) -> None:
        project = found(self.FASTAPI)

        assert project.services["backend"].before_start == ()
        assert (
            "shop/db/migrations/alembic.ini: nothing shows how its migrations are run; `before_start` of "
            "the service in devinit.toml runs them" in project.notes
        )

    def test_that_the_application_runs_itself_are_not_named(self, found: Found) -> None:
        start = "from alembic import command\n\ndef start(config): command.upgrade(config, 'head')\n"

        assert not any("migrations" in each for each in found({**self.FASTAPI, "shop/start.py": start}).notes)

    def test_without_a_revision_are_not_named(self, found: Found) -> None:
        first = {name: text for name, text in self.FASTAPI.items() if "versions" not in name}

        assert not any("migrations" in each for each in found(first).notes)

    @pytest.mark.parametrize(
        ("settings", "commands"),
        [
            ("DB_CONNECTION=sqlite", ("php artisan migrate --force",)),
            ("DB_CONNECTION=pgsql", ("php artisan migrate --no-interaction",)),
            ("DB_CONNECTION=pgsql\nAPP_ENV=production", ()),
            ("DB_CONNECTION=mysql", ()),
        ],
    )
    def test_of_laravel_reach_a_database_of_the_checkout_alone(
        self, found: Found, settings: str, commands: tuple[str, ...]
    ) -> None:
        files = {**TestLaravel.FILES, ".env.example": f"{settings}\n", "database/migrations/1_first.php": ""}

        assert found(files).services["backend"].before_start == commands

    def test_of_laravel_for_mysql_name_that(self, found: Found) -> None:
        project = found({**TestLaravel.FILES, ".env.example": "DB_CONNECTION=mysql\n"})

        assert (
            ".env.example, line 1: Laravel needs MySQL, which devinit does not start unasked: `[services.mysql]` with "
            'provider = "mysql" lets devinit run it, or start it yourself, or let a container run it: '
            '`[services.mysql]` with provider = "docker", server = "mysql", port = 3306' in project.notes
        )


class TestATaskOfAPythonProject:
    FILES: ClassVar[dict[str, str]] = {
        "server/pyproject.toml": """\
            [project]
            dependencies = ["fastapi", "uvicorn", "dramatiq[redis]"]
            [tool.taskipy.tasks]
            api = { cmd = "uvicorn shop.app:app --reload" }
            worker = { cmd = "dramatiq -p 1 --watch shop shop.worker.run" }
            """,
        "server/shop/__init__.py": "",
        "server/shop/app.py": FASTAPI,
        "server/shop/worker/run.py": "from shop import tasks\n",
    }

    def test_that_works_off_a_queue_is_a_worker(self, found: Found, root: Path) -> None:
        project = found(self.FILES)

        assert project.services["worker"].command == "dramatiq -p 1 --watch shop shop.worker.run"
        assert project.services["worker"].directory == root / "server"
        assert project.evidence["worker"][0].place == "server/pyproject.toml, line 5"

    def test_gives_way_to_the_code(self, found: Found) -> None:
        tasks = "import dramatiq\n\n@dramatiq.actor\ndef send() -> None: ...\n"

        services = found({**self.FILES, "server/shop/tasks.py": tasks}).services

        assert [each.command for each in services.values() if each.port is None] == ["dramatiq shop.tasks"]


class TestADatabaseThatOnlyAddressesName:
    def test_is_one_more_of_the_server_that_they_lead_to(self, found: Found) -> None:
        project = found(
            {
                "api/requirements.txt": "fastapi\n",
                "api/main.py": FASTAPI,
                "api/Dockerfile": "FROM python:3.12\nWORKDIR /app\nCOPY . .\n",
                "docker-compose.yml": """\
                    services:
                      api:
                        build: ./api
                        ports: ["5004:5000"]
                        environment:
                          DATABASE_URL: postgresql://postgres:postgres@api-db:5432/api_dev
                          DATABASE_TEST_URL: postgresql://postgres:postgres@api-db:5432/api_test
                          ELSEWHERE_URL: postgresql://postgres:postgres@warehouse:5432/facts
                      api-db:
                        image: postgres
                        environment: {POSTGRES_USER: postgres, POSTGRES_PASSWORD: postgres}
                    """,
            }
        )
        settings = project.services["postgres"].settings

        assert isinstance(settings, PostgresSettings)
        assert (settings.database, settings.databases) == ("postgres", ("api_dev", "api_test"))


class TestThePortOfADevelopmentServer:
    @pytest.mark.parametrize(
        "written", ["env.port ?? 3006", "Number(process.env.VITE_PORT ?? 3006)", "process.env.PORT || '3006'"]
    )
    def test_is_what_its_configuration_falls_back_on(self, found: Found, written: str) -> None:
        project = found(
            {
                "package.json": package({"dev": "vite"}, devDependencies={"vite": "6"}),
                "index.html": "",
                "vite.config.ts": f"export default {{ server: {{ host: true, port: {written} }} }};\n",
            }
        )

        assert port_of(project.services["frontend"]) == 3006


class TestThePortOfACompiledServer:
    RUST: ClassVar[dict[str, str]] = {
        "Cargo.toml": '[package]\nname = "shop"\n\n[dependencies]\naxum = "0.8"\n',
        "src/main.rs": "let listener = TcpListener::bind((config.ip, config.port));\n",
    }

    def test_is_the_one_that_its_file_of_variables_names(self, found: Found) -> None:
        backend = found({**self.RUST, ".env.example": "PORT=8000\n"}).services["backend"]

        assert port_of(backend) == 8000


class TestThePortOfAPythonServer:
    @pytest.mark.parametrize(
        ("file", "text"),
        [
            (
                "run.sh",
                "cd api && uv run gunicorn -k shop.Worker shop.app:app --bind localhost:8400 --reload\n",
            ),
            (
                "api/Dockerfile",
                'FROM python:3.12\nCMD ["gunicorn", "shop.app:app", "--bind", "0.0.0.0:8400"]\n',
            ),
            ("README.md", "    uvicorn shop.app:app --reload --port=8400\n"),
        ],
    )
    def test_is_where_a_command_of_the_project_starts_it(self, found: Found, file: str, text: str) -> None:
        project = found({"api/requirements.txt": "fastapi\n", "api/shop/app.py": FASTAPI, file: text})

        assert port_of(project.services["backend"]) == 8400

    def test_is_not_that_of_another_application(self, found: Found) -> None:
        readme = "    uvicorn other.app:app --port 8400\n"
        project = found({"requirements.txt": "fastapi\n", "shop/app.py": FASTAPI, "README.md": readme})

        assert port_of(project.services["backend"]) == 8000
