"""Specifies which services a compose file is natively, what is left out of it, and what of that is said."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.config.initial import initial_toml
from devinit.config.load import load
from devinit.config.shown import root_shown_by
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.kinds.redis.kind import RedisSettings
from devinit.model.service import Condition, Project, Service

Write = Callable[..., Path]
Composed = Callable[..., Project]
API = "from fastapi import FastAPI\napp = FastAPI()\n"
UVICORN = 'FROM python:3.12\nWORKDIR /app\nCOPY . .\nEXPOSE 8000\nCMD ["uvicorn", "main:app", "--host", "0.0.0.0"]\n'
VITE = '{"scripts": {"dev": "vite"}}\n'


@pytest.fixture
def composed(root: Path, write: Write) -> Composed:
    """Return what is detected from the services of a compose file."""

    def detecting(services: str, file: str = "docker-compose.yml") -> Project:
        write(file, "services:\n" + textwrap.indent(textwrap.dedent(services).strip("\n"), "  ") + "\n")
        return detect(root)

    return detecting


def port_of(service: Service) -> int | None:
    return service.port.preferred if service.port else None


def password_of(project: Project) -> str | None:
    settings = project.services["postgres"].settings_as(PostgresSettings)
    assert settings is not None
    return settings.password


def seen(project: Project, service: str) -> dict[str, str]:
    """Return the place of each key that a service was read from."""
    return {each.about: each.place for each in project.evidence[service]}


class TestAComposeFile:
    @pytest.mark.parametrize(
        "name",
        ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml", "compose.dev.yml"],
    )
    def test_is_a_project(self, root: Path, composed: Composed, name: str) -> None:
        project = composed("db:\n  image: postgres:16\n", name)

        assert list(project.services) == ["postgres"]
        assert root_shown_by(str(root)) == str(root)

    def test_for_production_or_tests_is_none(self, composed: Composed) -> None:
        project = composed("db:\n  image: postgres\n", "docker-compose.prod.yml")

        assert project.services == {}

    def test_for_development_beside_another_one_is_named(self, write: Write, composed: Composed) -> None:
        write("docker-compose.dev.yml", "services: {}\n")

        notes = composed("db:\n  image: postgres\n").notes

        assert notes[0] == (
            "docker-compose.dev.yml is not read, because docker-compose.yml is there; "
            "`COMPOSE_FILE=docker-compose.yml:docker-compose.dev.yml` in .env adds it"
        )

    def test_is_the_one_that_env_names(self, write: Write, composed: Composed) -> None:
        write(".env", "COMPOSE_FILE=docker-compose.yml:docker-compose.dev.yml\n")
        write("docker-compose.dev.yml", "services:\n  db:\n    ports: ['5440:5432']\n")

        assert port_of(composed("db:\n  image: postgres\n").services["postgres"]) == 5440

    def test_knows_an_application_of_a_workspace_by_the_folder_of_its_dockerfile(
        self, write: Write, composed: Composed
    ) -> None:
        write("package.json", '{"workspaces": ["server", "client"]}')
        write(
            "server/package.json", '{"scripts": {"dev": "node index.js"}, "dependencies": {"express": "5"}}'
        )
        write("server/index.js", "app.listen(process.env.PORT)")
        write(
            "server/Dockerfile", "FROM node AS builder\nFROM node\nWORKDIR /app/server\nENTRYPOINT ./run.sh\n"
        )
        write("client/package.json", VITE)
        write("client/Dockerfile", "FROM nginx\nCOPY client/nginx.conf /etc/nginx/conf.d/default.conf\n")

        project = composed(
            """
            server:
              build: {context: ., dockerfile: server/Dockerfile}
              environment: {CACHE_SECONDS: 5}
            client:
              build: {context: ., dockerfile: client/Dockerfile}
            """
        )

        assert list(project.services) == ["backend", "frontend"]
        assert project.services["backend"].env == {"CACHE_SECONDS": "5"}
        assert not [each for each in project.notes if "no application was recognised" in each]

    def test_knows_an_application_in_another_language_by_the_folder_of_its_dockerfile(
        self, write: Write, composed: Composed
    ) -> None:
        write("src/Shop.Api/Shop.Api.csproj", '<Project Sdk="Microsoft.NET.Sdk.Web"></Project>\n')
        write(
            "src/Shop.Api/Program.cs", "var app = WebApplication.CreateBuilder(args).Build();\napp.Run();\n"
        )
        write("src/Shop.Api/Dockerfile", 'FROM aspnet\nWORKDIR /app\nENTRYPOINT ["dotnet", "Shop.Api.dll"]\n')
        write("src/web/package.json", '{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "7"}}')
        write("src/web/Dockerfile", 'FROM node\nWORKDIR /app\nCMD ["npm", "run", "dev"]\n')

        project = composed(
            """
            web:
              build: {context: ., dockerfile: src/web/Dockerfile}
              environment: {VITE_API_BASE: "http://localhost:5100"}
            api:
              build: {context: ., dockerfile: src/Shop.Api/Dockerfile}
              ports: ["5100:8080"]
              environment: {Shelf__Size: 5}
            """
        )

        assert list(project.services) == ["backend", "frontend"]
        assert project.services["backend"].env["Shelf__Size"] == "5"
        assert project.services["frontend"].env == {"VITE_API_BASE": "http://localhost:${BACKEND_PORT}"}
        assert not [each for each in project.notes if "no application was recognised" in each]

    def test_reads_back_from_the_file_that_init_writes(
        self, root: Path, write: Write, composed: Composed
    ) -> None:
        write("api/Dockerfile", UVICORN)
        project = composed(
            """
            db: {image: "postgres:16", environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: x, POSTGRES_DB: shop}}
            migrate: {build: ./api, command: alembic upgrade head}
            api:
              build: ./api
              environment: {DATABASE_URL: "postgresql://app:x@db/shop", A: "$$1"}
              depends_on: {migrate: {condition: service_completed_successfully}}
            """
        )

        write("devinit.toml", initial_toml(project))

        assert load(root).services == project.services

    def test_that_cannot_be_read_is_named_with_its_line(self, composed: Composed) -> None:
        project = composed("a: [\n")

        assert project.notes[0].startswith("docker-compose.yml, line ")
        assert "cannot be read" in project.notes[0]

    def test_that_is_a_link_out_of_the_repository_is_named(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere.yml").write_text("services: {db: {image: postgres}}\n")
        (root / "compose.yaml").symlink_to(tmp_path / "elsewhere.yml")

        project = detect(root)

        assert project.services == {}
        assert "was not followed" in project.notes[0]


class TestADataService:
    def test_is_run_with_role_password_and_database_of_the_file(self, composed: Composed) -> None:
        project = composed(
            """
            db:
              image: pgvector/pgvector:pg16
              environment:
                - POSTGRES_USER=app
                - POSTGRES_PASSWORD=secret
                - POSTGRES_DB=shop
              ports:
                - 127.0.0.1:5450:5432
            """
        )

        settings = project.services["postgres"].settings_as(PostgresSettings)
        assert settings is not None
        assert (settings.user, settings.password, settings.database) == ("app", "secret", "shop")
        assert port_of(project.services["postgres"]) == 5450
        assert seen(project, "postgres") == {
            "provider": "docker-compose.yml, line 3",
            "user": "docker-compose.yml, line 5",
            "password": "docker-compose.yml, line 6",
            "database": "docker-compose.yml, line 7",
            "port": "docker-compose.yml, line 9",
        }

    def test_has_the_usual_role_and_port_where_nothing_is_said(self, composed: Composed) -> None:
        service = composed("db:\n  image: postgres\n").services["postgres"]

        settings = service.settings_as(PostgresSettings)
        assert settings is not None
        assert (settings.user, settings.database, settings.password) == ("postgres", "postgres", None)
        assert port_of(service) == 5432

    def test_leaves_a_password_of_env_where_it_is(self, write: Write, composed: Composed) -> None:
        write(".env", "PG_PASS=hidden\nREDIS_PASS=hidden\n")

        project = composed(
            """
            db: {image: postgres, environment: {POSTGRES_PASSWORD: "${PG_PASS}"}}
            cache: {image: "bitnami/redis:7", environment: {REDIS_PASSWORD: "${REDIS_PASS}"}}
            """
        )

        # The applications have the same variables: one database with one password.
        assert password_of(project) == "${PG_PASS}"
        assert project.services["redis"].settings == RedisSettings(password="${REDIS_PASS}")
        assert "hidden" not in initial_toml(project)

    @pytest.mark.parametrize(
        ("written", "password"),
        [
            ("${PG_PASS:-dev}", "${PG_PASS:-dev}"),
            ("$UNSET_ANYWHERE", "${UNSET_ANYWHERE}"),
            ("${UNSET-dev}", "${UNSET:-dev}"),
            ("${PG_PASS:?set it}", "${PG_PASS}"),
            ("${UNSET:-${PG_PASS}}", "${PG_PASS}"),
            ("a${PG_PASS}b", None),
            ("hidden", "hidden"),
        ],
    )
    def test_names_the_variable_that_its_password_comes_from(
        self, write: Write, composed: Composed, written: str, password: str | None
    ) -> None:
        write(".env", "PG_PASS=hidden\n")

        project = composed(f'db: {{image: postgres, environment: {{POSTGRES_PASSWORD: "{written}"}}}}\n')

        assert password_of(project) == password

    def test_names_the_variable_that_has_the_password_of_its_own_file(
        self, write: Write, composed: Composed
    ) -> None:
        write(".env", "DB_PASSWORD=hidden\n")
        write("db.env", "POSTGRES_PASSWORD=hidden\n")

        assert password_of(composed("db: {image: postgres, env_file: db.env}\n")) == "${DB_PASSWORD}"

    def test_of_redis_names_the_variable_of_its_command(self, write: Write, composed: Composed) -> None:
        write(".env", "REDIS_PW=hidden\n")

        project = composed("cache:\n  image: redis\n  command: redis-server --requirepass ${REDIS_PW}\n")

        assert project.services["redis"].settings == RedisSettings(password="${REDIS_PW}")

    def test_has_the_names_of_its_file_of_variables(self, write: Write, composed: Composed) -> None:
        write("db.env", "POSTGRES_USER=app\nPOSTGRES_DB=shop\nPOSTGRES_PASSWORD=hidden\n")

        project = composed("db: {image: postgres, env_file: db.env}\n")

        settings = project.services["postgres"].settings_as(PostgresSettings)
        assert settings is not None
        assert (settings.user, settings.database, settings.password) == ("app", "shop", None)
        assert seen(project, "postgres")["user"] == "db.env, line 1"

    @pytest.mark.parametrize(
        "image", ["redis:7", "valkey/valkey", "docker.io/bitnami/redis:1@sha256:ab", "redis/redis-stack"]
    )
    def test_is_redis_by_its_image(self, composed: Composed, image: str) -> None:
        assert composed(f"cache:\n  image: {image}\n").services["redis"].provider == "redis"

    def test_of_redis_has_the_password_of_its_command(self, composed: Composed) -> None:
        project = composed("cache:\n  image: redis\n  command: redis-server --requirepass s3\n")

        assert project.services["redis"].settings == RedisSettings(password="s3")

    def test_is_one_by_the_image_that_its_dockerfile_begins_with(
        self, write: Write, composed: Composed
    ) -> None:
        write("db/Dockerfile", "FROM postgis/postgis:16\n")

        assert list(composed("db:\n  build: ./db\n").services) == ["postgres"]

    def test_is_the_one_that_the_code_shows_too(self, write: Write, composed: Composed) -> None:
        write("backend/requirements.txt", "asyncpg\n")

        project = composed("db: {image: postgres, ports: ['5450:5432'], environment: {POSTGRES_DB: shop}}\n")

        assert list(project.services) == ["postgres"]
        assert port_of(project.services["postgres"]) == 5450
        assert project.services["postgres"].settings_as(PostgresSettings).database == "shop"  # type: ignore[union-attr]  # it has some

    def test_may_be_there_twice(self, composed: Composed) -> None:
        project = composed(
            """
            db: {image: postgres}
            events-db: {image: postgres, ports: ['5440:5432']}
            """
        )

        assert {name: port_of(each) for name, each in project.services.items()} == {
            "postgres": 5432,
            "events-db": 5440,
        }

    def test_is_no_other_program_from_its_image(self, composed: Composed) -> None:
        project = composed("seed: {image: postgres, command: psql -h db -f seed.sql}\n")

        assert project.services == {}
        assert project.notes[0] == (
            "docker-compose.yml, line 2: seed is not run: `psql -h db -f seed.sql` is a program of its image"
        )

    @pytest.mark.parametrize(
        "command",
        ["-c max_connections=200", "postgres -c log_statement=all", "docker-entrypoint.sh postgres"],
    )
    def test_may_have_options(self, composed: Composed, command: str) -> None:
        assert list(composed(f"db: {{image: postgres, command: {command}}}\n").services) == ["postgres"]

    def test_with_a_name_that_postgresql_keeps_has_its_usual_names(self, composed: Composed) -> None:
        project = composed("db: {image: postgres, environment: {POSTGRES_USER: pg_me}}\n")

        assert "keeps its usual names" in project.notes[0]

    def test_says_that_a_script_for_new_databases_is_not_run(self, composed: Composed) -> None:
        project = composed(
            "db: {image: postgres, volumes: ['./init.sql:/docker-entrypoint-initdb.d/init.sql']}\n"
        )

        assert "init.sql is not run" in project.notes[0]


class TestWhatDevinitDoesNotRun:
    def test_is_named_with_what_needs_it(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            mail: {image: axllent/mailpit}
            queue: {image: "rabbitmq:3-management"}
            own: {image: ghcr.io/shop/thing:1}
            api:
              build: api
              environment: {SMTP_HOST: mail, SMTP_PORT: 1025, AMQP: "amqp://guest@queue"}
              depends_on: [own]
            """
        )

        assert project.notes == (
            (
                "docker-compose.yml, line 2: mail is not provided, because devinit runs no Mailpit; "
                "api (SMTP_HOST, SMTP_PORT) needs it"
            ),
            "docker-compose.yml, line 3: queue is not provided, because devinit runs no RabbitMQ; api (AMQP) needs it",
            (
                "docker-compose.yml, line 4: own is not provided, because devinit does not run the image "
                "ghcr.io/shop/thing:1; api needs it"
            ),
        )
        assert project.services["api"].env == {}
        assert project.services["api"].depends_on == ()

    @pytest.mark.parametrize("image", ["nginx:alpine", "traefik:v3", "adminer", "dpage/pgadmin4"])
    def test_and_nothing_needs_is_left_out(self, composed: Composed, image: str) -> None:
        project = composed(f"x: {{image: '{image}', ports: ['80:80']}}\n")

        assert project.services == {}
        assert project.notes[0].startswith("docker-compose.yml, line 2: x (")

    def test_for_a_profile_is_left_out(self, composed: Composed) -> None:
        project = composed("db: {image: postgres, profiles: [tools]}\n")

        assert project.services == {}
        assert project.notes[0] == "docker-compose.yml, line 2: db is left out: it is for the profile tools"

    def test_for_a_profile_leaves_no_address(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            ai: {build: ./ai, profiles: [ai]}
            api: {build: ./api, environment: {AI_URL: "http://ai:9000"}}
            """
        )

        assert project.services["api"].env == {}
        assert "docker-compose.yml, line 3: AI_URL of api is left out, because ai is" in project.notes

    def test_is_given_no_path_of_its_container(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            api:
              build: ./api
              volumes: [./api:/srv/shop]
              environment:
                DATABASE_URI: sqlite:////app/instance/shop.db
                CACHE_DIR: /app/cache
                API_PREFIX: /api/v1
                CERTS: /etc/ssl/certs
                DATABASE_FILE: sqlite:///./dev.db
            """
        )

        env = project.services["api"].env
        assert {*env} == {"API_PREFIX", "CERTS", "DATABASE_FILE", "CACHE_DIR"}
        assert env["CACHE_DIR"] == "${DEVINIT_PROJECT}/api/cache"
        assert (
            "docker-compose.yml, line 6: DATABASE_URI is left out: /app/instance/shop.db is a path in the container"
        ) in project.notes

    def test_is_run_for_a_profile_that_env_turns_on(self, write: Write, composed: Composed) -> None:
        write(".env", "COMPOSE_PROFILES=tools\n")

        assert list(composed("db: {image: postgres, profiles: [tools]}\n").services) == ["postgres"]


class TestAnApplication:
    def test_that_is_recognised_by_its_code_gets_what_the_file_says(
        self, write: Write, composed: Composed
    ) -> None:
        write("backend/main.py", API)
        write("backend/requirements.txt", "fastapi\n")

        project = composed(
            """
            db: {image: postgres, environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: x, POSTGRES_DB: shop}}
            api:
              build: ./backend
              ports: ["8010:8000"]
              environment:
                DATABASE_URL: postgresql+asyncpg://app:x@db:5432/shop
              depends_on: [db]
              healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:8000/healthy"]}
            """
        )

        service = project.services["backend"]
        assert service.command == "uvicorn main:app --host 127.0.0.1 --port ${PORT} --reload"
        assert port_of(service) == 8010
        assert service.env["DATABASE_URL"].startswith("postgresql+asyncpg://${POSTGRES_USER}:")
        assert service.depends_on == ("postgres",)
        assert service.ready.http == "/healthy"
        assert seen(project, "backend")["port"] == "docker-compose.yml, line 5"

    def test_is_called_by_the_name_that_it_has_here(self, write: Write, composed: Composed) -> None:
        write("backend/main.py", API)
        write("frontend/package.json", VITE)

        project = composed(
            """
            api: {build: ./backend, ports: ["8010:8000"], environment: {ORIGINS: "http://localhost:5173"}}
            web:
              build: ./frontend
              ports: ["5173:5173"]
              environment: {VITE_API: "http://localhost:8010/api", INTERNAL: "http://api:8000"}
              depends_on: [api]
            """
        )

        assert project.services["frontend"].env == {
            "VITE_API": "http://localhost:${BACKEND_PORT}/api",
            "INTERNAL": "http://${BACKEND_HOST}:${BACKEND_PORT}",
        }
        assert project.services["backend"].env == {"ORIGINS": "http://localhost:${FRONTEND_PORT}"}
        assert project.services["frontend"].depends_on == ("backend",)

    def test_runs_the_command_of_its_dockerfile(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed("api: {build: ./api, ports: ['8010:8000']}\n")

        service = project.services["api"]
        assert service.command == "uvicorn main:app --host 127.0.0.1 --port ${PORT}"
        assert (service.directory.name, port_of(service)) == ("api", 8010)
        assert seen(project, "api")["command"] == "api/Dockerfile, line 5"

    def test_runs_the_command_of_the_file_before_that(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            api:
              build: ./api
              command: >
                sh -c "pip install -r requirements.txt && alembic upgrade head &&
                /usr/local/bin/uvicorn other:app --host 0.0.0.0 --port 8000 --reload --reload-dir /app/src"
            """
        )

        assert project.services["api"].command == (
            "uvicorn other:app --host 127.0.0.1 --port ${PORT} --reload --reload-dir src"
        )
        assert project.services["api"].before_start == ("alembic upgrade head",)
        assert seen(project, "api")["before_start"] == "docker-compose.yml, line 4"
        assert seen(project, "api")["command"] == "docker-compose.yml, line 4"

    def test_of_mounted_source_is_one_too(self, write: Write, composed: Composed) -> None:
        write("web/package.json", VITE)

        project = composed(
            """
            web:
              image: node:22
              working_dir: /srv
              volumes: ["./web:/srv", "/srv/node_modules"]
              command: npm run dev -- --host 0.0.0.0
              ports: ["5180:5173"]
            """
        )

        [service] = project.services.values()
        assert service.command == "npm run dev -- --host 127.0.0.1 --port ${PORT} --strictPort"
        assert (service.directory.name, port_of(service)) == ("web", 5180)

    def test_works_where_its_dockerfile_copies_from(
        self, root: Path, write: Write, composed: Composed
    ) -> None:
        write(
            "docker/api.Dockerfile", "FROM python\nWORKDIR /app\nCOPY server/ .\nCMD flask run -h 0.0.0.0\n"
        )
        (root / "server").mkdir()

        project = composed("api: {build: {context: ., dockerfile: docker/api.Dockerfile}}\n")

        assert project.services["api"].directory == root / "server"
        assert project.services["api"].command == "flask run -h 127.0.0.1 --port ${PORT}"

    def test_works_above_a_folder_that_its_dockerfile_copies(
        self, root: Path, write: Write, composed: Composed
    ) -> None:
        write("backend/app/main.py", API)
        write(
            "backend/Dockerfile",
            "FROM python\nWORKDIR /code\nCOPY backend/app ./app\nCMD uvicorn app.main:app\n",
        )

        project = composed(
            "api: {build: {context: ., dockerfile: backend/Dockerfile}, environment: {A: 1}}\n"
        )

        assert {name: each.env for name, each in project.services.items()} == {"backend": {"A": "1"}}

    def test_that_runs_a_file_keeps_the_port_of_its_container(self, write: Write, composed: Composed) -> None:
        write("api/server.py", "")

        service = composed("api: {build: ./api, command: python server.py, ports: ['9000:8080']}\n").services[
            "api"
        ]

        assert service.port is not None
        assert (service.port.preferred, service.port.strict) == (8080, True)

    def test_whose_code_reads_its_port_may_move(self, write: Write, composed: Composed) -> None:
        write("api/server.js", "require('http').createServer().listen(process.env.PORT || 8080)\n")

        port = (
            composed("api: {build: ./api, command: node server.js, ports: ['9000:8080']}\n")
            .services["api"]
            .port
        )

        assert port is not None
        assert (port.preferred, port.strict) == (9000, False)

    def test_whose_code_names_its_port_keeps_that(self, write: Write, composed: Composed) -> None:
        write("api/server.js", "require('http').createServer().listen(8081)\n")

        port = (
            composed("api: {build: ./api, command: node server.js, ports: ['9000:8081']}\n")
            .services["api"]
            .port
        )

        assert port is not None
        assert (port.preferred, port.strict, port.fixed_by) == (8081, True, "api/server.js, line 1")

    def test_that_is_told_its_port_may_move(self, write: Write, composed: Composed) -> None:
        write("api/server.py", "")

        service = composed(
            "api: {build: ./api, command: python server.py, ports: ['9000:8080'], environment: {PORT: 8080}}\n"
        ).services["api"]

        assert service.port is not None
        assert (service.port.preferred, service.port.strict) == (9000, False)

    def test_that_serves_what_was_built_lends_the_port_of_the_host_alone(
        self, write: Write, composed: Composed
    ) -> None:
        write("frontend/package.json", VITE)
        write("frontend/Dockerfile", "FROM node AS build\nRUN npm run build\nFROM nginx\nEXPOSE 80\n")

        ports = [
            port_of(composed(f"frontend: {{build: ./frontend, ports: ['{each}']}}\n").services["frontend"])
            for each in ("80:80", "8080:80")
        ]

        assert ports == [5173, 8080]

    def test_whose_command_only_its_image_has_is_named_with_its_folder(
        self, write: Write, composed: Composed
    ) -> None:
        write("api/Dockerfile", 'FROM x\nCOPY . /app\nCMD ["/entrypoint.sh"]\n')

        project = composed("api: {build: ./api, ports: ['8000:8000']}\n")

        assert project.services == {}
        assert project.notes[0] == (
            "docker-compose.yml, line 2: api is not started: its command names /entrypoint.sh, which only the "
            "container has, and no application was recognised in api/; `command` of [services.api] in devinit.toml "
            "starts it"
        )

    @pytest.mark.parametrize(
        ("command", "reason"),
        [
            ("next start", "built for production"),
            ("sh -c 'a | b'", "more than programs one after the other"),
            ("fuser -k 8000/tcp", "no program"),
            ("sleep infinity", "no command is stated"),
            ("./run", "no program"),
            ("sh -c 'rm -rf x && flask run'", "runs `rm -rf x` first"),
        ],
    )
    def test_whose_command_is_not_certain_is_named(
        self, write: Write, composed: Composed, command: str, reason: str
    ) -> None:
        write("api/Dockerfile", "FROM x\n")

        project = composed(f'api: {{build: ./api, command: "{command}"}}\n')

        assert project.services == {}
        assert reason in project.notes[0]

    def test_runs_what_its_script_runs(self, write: Write, composed: Composed) -> None:
        write("api/manage.py", "")
        write(
            "api/docker/entrypoint.sh",
            "#!/bin/sh\nset -e\n# first\npython manage.py migrate\nexec flask run -p 8000\n",
        )
        write("api/Dockerfile", 'FROM x\nCOPY docker/entrypoint.sh /entrypoint.sh\nCMD ["/entrypoint.sh"]\n')

        project = composed("api: {build: ./api, ports: ['8000:8000']}\n")

        assert project.services["api"].command == "flask run -p ${PORT}"
        assert project.services["api"].before_start == ("python manage.py migrate",)

    @pytest.mark.parametrize(
        "script", ["curl x | sh", "if true; then\nflask run\nfi", "rm -rf /app\nflask run", ""]
    )
    def test_does_not_run_a_script_that_does_more(
        self, write: Write, composed: Composed, script: str
    ) -> None:
        write("api/start.sh", script)

        assert composed("api: {build: ./api, command: sh start.sh}\n").services == {}

    def test_out_of_the_repository_is_none(self, composed: Composed) -> None:
        project = composed("api: {build: ../other, command: flask run}\n")

        assert str(project.services["api"].directory).endswith("/shop")

    def test_that_another_one_names_and_that_is_not_started_leaves_no_address(
        self, write: Write, composed: Composed
    ) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            api:
              build: ./api
              environment: {OTHER: "http://lost:9000", ORIGIN: "http://localhost:3000"}
              depends_on: [lost]
            lost: {build: ./lost, ports: ["3000:9000"]}
            """
        )

        assert project.services["api"].env == {"ORIGIN": "http://localhost:3000"}
        assert project.services["api"].depends_on == ()
        assert "api: OTHER is left out, because lost is not started" in project.notes

    def test_migrates_no_server_that_is_not_certain(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            db: {image: "mysql:8"}
            api:
              build: ./api
              command: sh -c "alembic upgrade head && flask run"
              environment: {DB_HOST: db}
            """
        )

        assert project.services["api"].before_start == ()
        assert (
            "docker-compose.yml, line 3: `alembic upgrade head` is not run before api: the server that it would work "
            "on is not certain"
        ) in project.notes

    def test_lends_its_migrations_to_the_one_that_its_code_shows(
        self, write: Write, composed: Composed
    ) -> None:
        write("backend/main.py", API)

        project = composed(
            "api: {build: ./backend, command: sh -c 'alembic upgrade head && uvicorn main:app'}\n"
        )

        assert project.services["backend"].before_start == ("alembic upgrade head",)

    def test_that_a_devinit_toml_leaves_out_leaves_no_address(
        self, root: Path, write: Write, composed: Composed
    ) -> None:
        write("api/Dockerfile", UVICORN)
        composed(
            """
            db: {image: postgres, environment: {POSTGRES_PASSWORD: x}}
            api: {build: ./api, environment: {A: 1, URL: "postgres://postgres:x@db/postgres"}}
            """
        )
        write("devinit.toml", "[services]\npostgres = false\n")

        project = load(root)

        assert project.services["api"].env == {"A": "1"}
        assert any("URL is left out, because postgres is left out" in each for each in project.notes)


class TestAWorker:
    def test_has_no_port_and_its_own_command(self, write: Write, composed: Composed) -> None:
        write("api/main.py", API)
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            redis: {image: redis}
            worker: {build: ./api, command: celery -A app --broker redis://redis:6379/1 worker}
            """
        )

        service = project.services["worker"]
        assert service.command == "celery -A app --broker redis://${REDIS_HOST}:${REDIS_PORT}/1 worker"
        assert (port_of(service), service.depends_on) == (None, ("redis",))

    def test_that_is_a_tool_is_left_out(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed("flower: {build: ./api, command: celery -A app flower, ports: ['5555:5555']}\n")

        assert project.services == {}


class TestAOneShot:
    SERVICES = """
        db: {image: postgres, environment: {POSTGRES_PASSWORD: x}}
        migrate:
          build: ./api
          command: alembic upgrade head
          restart: "no"
          environment: {DATABASE_URL: "%s"}
        api: {build: ./api, depends_on: {migrate: {condition: service_completed_successfully}}}
        """

    def test_is_waited_for(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(self.SERVICES % "postgresql://postgres:x@db/postgres")

        assert project.is_job("migrate")
        assert project.services["api"].conditions == {"migrate": Condition.COMPLETED}
        assert project.services["migrate"].depends_on == ("postgres",)

    @pytest.mark.parametrize("url", ["postgresql://other:x@db/postgres", "mysql://db:3306/x", "${NONE:?}"])
    def test_is_not_run_on_a_server_that_is_not_certain(
        self, write: Write, composed: Composed, url: str
    ) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(self.SERVICES % url)

        assert "migrate" not in project.services
        assert project.services["api"].depends_on == ()
        assert any(
            "migrate is not run: the server that it would work on is not certain" in each
            for each in project.notes
        )

    @pytest.mark.parametrize(
        "command", ["npx prisma migrate reset --force", "python manage.py flush --noinput"]
    )
    def test_that_deletes_data_is_not_run(self, write: Write, composed: Composed, command: str) -> None:
        write("api/manage.py", "")
        write("api/Dockerfile", UVICORN)

        project = composed((self.SERVICES % "x").replace("alembic upgrade head", command))

        assert "migrate" not in project.services

    def test_that_nothing_waits_for_is_not_run(self, write: Write, composed: Composed) -> None:
        write("api/seed.py", "")

        project = composed("seed: {build: ./api, command: python seed.py, restart: 'no'}\n")

        assert project.services == {}
        assert (
            project.notes[0]
            == "docker-compose.yml, line 2: seed is not run: it runs once, and nothing waits for it"
        )


class TestTheEnvironment:
    def of(self, composed: Composed, write: Write, text: str) -> Service:
        write("api/Dockerfile", UVICORN)
        service = "api:\n  build: ./api\n  ports: ['8010:8000']\n" + textwrap.indent(
            textwrap.dedent(text), "  "
        )
        return composed(f"db: {{image: postgres}}\n{service}").services["api"]

    def test_leaves_what_env_says_where_it_is(self, write: Write, composed: Composed) -> None:
        write(".env", "SECRET=hidden\nLEVEL=debug\n")

        service = self.of(
            composed,
            write,
            "environment: {SECRET: '${SECRET}', KEY: 'k-${SECRET}', LOG: '${LEVEL:-info}', PASSED: }\n",
        )

        assert service.env == {"KEY": "k-${SECRET:-}", "LOG": "${LEVEL:-info}"}

    def test_leaves_out_what_the_container_alone_needs(self, write: Write, composed: Composed) -> None:
        service = self.of(
            composed,
            write,
            "environment: {PORT: 8000, HOST: 0.0.0.0, NODE_ENV: production, K: /run/secrets/k, PYTHONPATH: /app/src}\n",
        )

        assert service.env == {"PYTHONPATH": "${DEVINIT_PROJECT}/api/src"}

    def test_replaces_hosts_in_files_of_variables(self, root: Path, write: Write, composed: Composed) -> None:
        write(".env", "DATABASE_URL=postgresql://postgres:x@db/a\nDEBUG=1\n")
        write("settings/api.env", "DB_HOST=db\nOTHER=2\n")

        service = self.of(
            composed, write, "env_file:\n  - .env\n  - path: settings/api.env\n    required: false\n"
        )

        assert service.env == {
            "DATABASE_URL": "postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@${POSTGRES_HOST}:${POSTGRES_PORT}/a",
            "DB_HOST": "${POSTGRES_HOST}",
            "DB_PORT": "${POSTGRES_PORT}",
        }
        assert service.env_file == (root / "settings/api.env",)

    def test_names_the_example_of_a_missing_file_of_variables_until_it_is_copied(
        self, root: Path, write: Write, composed: Composed
    ) -> None:
        write("api/Dockerfile", UVICORN)
        write(".envs/.env.example", "DB_HOST=db\n")
        services = "db: {image: postgres}\napi: {build: ./api, env_file: .envs/.env}\n"

        missing = composed(services).notes
        write(".envs/.env", (root / ".envs/.env.example").read_text())
        copied = composed(services)

        said = (
            "docker-compose.yml, line 3: .envs/.env is missing; `cp .envs/.env.example .envs/.env` makes it"
        )
        assert said in missing
        assert not [each for each in copied.notes if "is missing" in each]
        assert copied.services["api"].env["DB_HOST"] == "${POSTGRES_HOST}"

    def test_replaces_hosts_in_the_env_that_the_process_reads_anyway(
        self, write: Write, composed: Composed
    ) -> None:
        write(".env", "DB_URL=postgresql://postgres:x@db/a\nOTHER=1\n")

        service = self.of(composed, write, "environment: {A: 1}\n")

        assert list(service.env) == ["DB_URL", "A"]
        assert service.env["DB_URL"].endswith("@${POSTGRES_HOST}:${POSTGRES_PORT}/a")

    def test_has_the_arguments_of_a_build_that_pages_read(self, write: Write, composed: Composed) -> None:
        write("web/package.json", VITE)

        project = composed(
            """
            web:
              build: {context: ./web, args: {VITE_API_URL: "http://localhost:3001/x", NODE: 20}}
              command: npm run dev
              ports: ["3001:5173"]
            """
        )

        assert project.services["frontend"].env == {"VITE_API_URL": "http://localhost:${FRONTEND_PORT}/x"}

    def test_leaves_out_a_variable_that_has_to_have_a_value(self, write: Write, composed: Composed) -> None:
        service = self.of(composed, write, "environment: {A: '${NEEDED:?set it}', B: 1}\n")

        assert service.env == {"B": "1"}


class TestTheOrder:
    def test_waits_as_the_file_says(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            db: {image: postgres}
            cache: {image: redis}
            api:
              build: ./api
              depends_on: {db: {condition: service_started}, other: {condition: service_started}}
            other: {build: ./api, command: flask run, depends_on: [cache, nowhere]}
            """
        )

        assert project.services["api"].depends_on == ("postgres", "other")
        assert project.services["api"].conditions == {"other": Condition.STARTED}
        assert project.services["other"].depends_on == ("redis",)

    def test_of_services_that_wait_for_each_other_is_broken_once(
        self, write: Write, composed: Composed
    ) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            a: {build: ./api, depends_on: [b]}
            b: {build: ./api, depends_on: [a]}
            """
        )

        assert (project.services["a"].depends_on, project.services["b"].depends_on) == (("b",), ())
        assert "b does not wait for a, which waits for it" in project.notes


class TestLayers:
    def test_of_an_override_lie_over_the_base(self, write: Write, composed: Composed) -> None:
        write("api/Dockerfile", UVICORN)
        write(
            "docker-compose.override.yml",
            "services:\n  api:\n    command: flask run\n    environment: {A: 2}\n    ports: !override ['8020:8000']\n",
        )

        project = composed("api: {build: ./api, ports: ['8010:8000'], environment: [A=1, B=1]}\n")

        service = project.services["api"]
        assert (service.env, port_of(service)) == ({"A": "2", "B": "1"}, 8020)
        assert seen(project, "api")["command"] == "docker-compose.override.yml, line 3"

    def test_of_a_service_that_extends_another_one(self, write: Write, composed: Composed) -> None:
        write("services/api/Dockerfile", UVICORN)
        write(
            "services/base.yml",
            "services:\n  api:\n    build: ./api\n    environment: {A: 1}\n    depends_on: [db]\n",
        )

        project = composed(
            """
            db: {image: postgres}
            api: {extends: {file: services/base.yml, service: api}, environment: {B: 2}}
            """
        )

        service = project.services["api"]
        assert service.env == {"A": "1", "B": "2"}
        assert service.directory.parts[-2:] == ("services", "api")
        assert service.depends_on == ("postgres",)

    @pytest.mark.parametrize(
        "extends",
        ["api", "nothing", "{file: ../x.yml, service: a}", "{file: docker-compose.yml, service: api}"],
    )
    def test_of_a_service_that_extends_itself_or_nothing_are_said(
        self, write: Write, composed: Composed, extends: str
    ) -> None:
        write("api/Dockerfile", UVICORN)

        project = composed(f"api: {{build: ./api, extends: {extends}}}\n")

        assert list(project.services) == ["api"]
        assert any("which cannot be found" in each for each in project.notes)

    def test_include_other_files(self, root: Path, write: Write) -> None:
        write("data/compose.yaml", "include: [../compose.yaml]\nservices:\n  db: {image: postgres}\n")
        write("compose.yaml", "include:\n  - path: data/compose.yaml\n  - missing.yaml\nservices: {}\n")

        project = detect(root)

        assert list(project.services) == ["postgres"]
        assert project.evidence["postgres"][0].place == "data/compose.yaml, line 3"

    def test_take_the_variables_of_included_files_from_beside_those(self, root: Path, write: Write) -> None:
        database = "services:\n  {}:\n    image: {}\n    environment: {{POSTGRES_USER: '${{OWNER}}', POSTGRES_DB: '${{SHELF}}'}}\n"
        write("data/compose.yaml", database.format("db", "postgres"))
        write("data/.env", "OWNER=ada\nSHELF=books\nKEPT=theirs\n")
        write("more/compose.yaml", "services:\n  cache: {image: redis}\n")
        write("more/.env", "SHELF=other\n")
        write(".env", "KEPT=ours\n")
        write("compose.yaml", "include: [data/compose.yaml, more/compose.yaml]\n")

        settings = detect(root).services["postgres"].settings_as(PostgresSettings)

        assert settings is not None
        assert settings.user == "ada"
        assert settings.database == "ada"  # two files state SHELF differently, and neither is chosen

    def test_share_what_an_anchor_has(self, root: Path, write: Write) -> None:
        write("api/Dockerfile", UVICORN)
        write(
            "compose.yaml",
            "x-api: &api\n  build: ./api\n  environment: &env {A: 1}\nservices:\n"
            "  api: *api\n  worker:\n    <<: *api\n    command: celery worker\n    environment: {<<: *env, B: 2}\n",
        )

        project = detect(root)

        assert project.services["api"].env == {"A": "1"}
        assert project.services["worker"].env == {"B": "2", "A": "1"}

    def test_are_run_from_the_source_that_an_image_has_built(self, write: Write, composed: Composed) -> None:
        write("go.mod", "module shelf\n\ngo 1.24\n")
        write(
            "cmd/api/main.go",
            'package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe(":8080", nil) }\n',
        )
        write("cmd/worker/main.go", "package main\n\nfunc main() { select {} }\n")
        write("Dockerfile", 'FROM golang AS build\nWORKDIR /src\nFROM alpine\nWORKDIR /app\nCMD ["./api"]\n')

        project = composed("api: {build: .}\nworker: {build: ., command: ./worker -once=false}\n")

        assert project.services["backend"].command == "go run ./cmd/api"
        assert project.services["worker"].command == "go run ./cmd/worker -once=false"
        assert not [
            each
            for each in composed("api: {build: .}\nworker: {build: ., command: ./worker}\n").notes
            if "not started" in each
        ]

    def test_leave_migrations_that_both_begin_with_to_the_server(
        self, write: Write, composed: Composed
    ) -> None:
        write("main.py", API)
        write("bot.py", "print()\n")
        write(
            "pyproject.toml",
            '[project]\nname = "a"\ndependencies = ["fastapi", "uvicorn", "asyncpg", "alembic"]\n',
        )
        write("alembic.ini", "[alembic]\nscript_location = steps\n")
        write("steps/versions/1.py", "revision = 1\n")

        project = composed(
            """
            db: {image: postgres}
            api: {build: ., command: sh -c "uv run alembic upgrade head && uv run uvicorn main:app", ports: ["8000:8000"]}
            bot: {build: ., command: sh -c "uv run alembic upgrade head && uv run python bot.py"}
            """
        )

        assert project.services["backend"].before_start == ("python -m alembic upgrade head",)
        assert project.services["bot"].before_start == ()
        assert project.services["bot"].conditions == {"backend": Condition.STARTED}


class TestBesideAListOfProcesses:
    def test_gives_its_variables_to_them_and_starts_no_more(self, write: Write, composed: Composed) -> None:
        write("Procfile.dev", "web: cd api && uvicorn main:app --port 8000\n")
        write("api/Dockerfile", UVICORN)

        project = composed(
            """
            db: {image: postgres, environment: {POSTGRES_PASSWORD: x}}
            api: {build: ./api, environment: {DB_URL: "postgres://postgres:x@db/postgres"}}
            worker: {build: ./api, command: celery worker}
            """
        )

        assert list(project.services) == ["postgres", "web"]
        assert "DB_URL" in project.services["web"].env
        assert any("Procfile.dev does not name it" in each for each in project.notes)

    def test_for_deployment_a_command_may_come_from_that(self, write: Write, composed: Composed) -> None:
        write("Procfile", "web: gunicorn main:app\n")

        project = composed("api: {build: ., ports: ['8010:8000']}\n")

        assert {name: (each.command, port_of(each)) for name, each in project.services.items()} == {
            "api": ("gunicorn main:app", 8010)
        }
