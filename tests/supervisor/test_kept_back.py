"""Specifies that a detected migration reaches the database that devinit gives, and no other one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from devinit.errors import ServiceError
from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.port import PortRequest
from devinit.model.service import Project, Service
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.service.own_values import refuse_foreign_migration

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = "python -m alembic upgrade head"
REMOTE = "postgresql://app:x@prod.example.com/app"
NOT_READ = "holds an address that devinit cannot read"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    path.mkdir()
    (path / "main.py").write_text("import asyncpg\n")
    return path


def project_of(root: Path, **env: str) -> Project:
    settings = PostgresSettings(database="shop", user="shop", password="secret")
    port = PortRequest(service="postgres", preferred=5433, first=5433, last=5532)
    postgres = Service(name="postgres", provider="postgres", directory=root, port=port, settings=settings)
    backend = Service(
        name="backend", directory=root, command="serve", depends_on=("postgres",), before_start=(COMMAND,), env=env
    )  # fmt: skip
    return Project(name="shop", root=root, services={"postgres": postgres, "backend": backend})


def obstacle_in(project: Project, **caller: str) -> str | None:
    stage = ProjectState(project.root, Broadcaster())
    stage.configure(project, {"PATH": "/bin", **caller})
    return stage.obstacle_to(COMMAND, stage.project.services["backend"])


UNREADABLE = [
    "postgresql://app:p@ss@prod.example.com:5432/app",
    "postgresql://app:p#ss@prod.example.com:5432/app",
    "postgresql://app:p/ss@prod.example.com:5432/app",
    "postgresql://app:p@localhost,prod.example.com:5432/app",
    "postgresql://app@/app?host=/cloudsql/p:r:i",
    "postgresql://app:app@localhost/app?service=prod",
    "postgresql://app:app@localhost/app?service%3D=&%73ervice=prod",
    "Host=prod.example.com;Database=app;Username=app",
    "Server=tcp:prod.example.com,1433;Initial Catalog=app",
    "jdbc:sqlserver://prod.example.com:1433;databaseName=app",
    "jdbc:oracle:thin:@prod.example.com:1521:app",
    "app:x@tcp(prod.example.com:3306)/app",
    "service=prod dbname=app",
    "host=localhost,prod.example.com dbname=app",
    "host=localhost hostaddr=203.0.113.7 dbname=app",
    '{"default": "postgresql://app:x@prod.example.com/app"}',
]


class TestAnAddressThatCannotBeRead:
    @pytest.mark.parametrize("value", UNREADABLE)
    @pytest.mark.parametrize("name", ["DATABASE_URL", "MY_CONN"])
    def test_of_a_file_keeps_it_back(self, root: Path, name: str, value: str) -> None:
        (root / ".env").write_text(f"{name}='{value}'\n")

        assert obstacle_in(project_of(root)) == f"{name} in .env:1 {NOT_READ}"

    @pytest.mark.parametrize("value", UNREADABLE)
    def test_of_the_environment_of_the_service_keeps_it_back(self, root: Path, value: str) -> None:
        project = project_of(root, DATABASE_URL=value)

        assert obstacle_in(project) == f"DATABASE_URL in its `env` {NOT_READ}"

    @pytest.mark.parametrize(
        "value",
        [
            "Host=localhost;Port=5433;Database=shop",
            "file:./dev.db",
            "sqlite:///./with a space.db",
            "./dev.sqlite3",
            ":memory:",
            "jdbc:h2:mem:shop",
            "<the address of your database>",
            "changeme",
        ],
    )
    def test_does_not_where_it_is_ours_or_a_file_or_none(self, root: Path, value: str) -> None:
        (root / ".env").write_text(f"MY_DATABASE_URL='{value}'\n")

        assert obstacle_in(project_of(root)) is None


class TestAnotherHostInTheQuery:
    @pytest.mark.parametrize("key", ["host", "hostaddr", "%68ost", "HOST"])
    def test_keeps_it_back_and_gets_no_password_of_ours(self, root: Path, key: str) -> None:
        value = f"postgresql://app:app@localhost:5432/app?{key}=prod.example.com"
        (root / ".env").write_text(f"DATABASE_URL={value}\n")
        project = project_of(root)
        stage = ProjectState(root, Broadcaster())
        stage.configure(project, {})

        assert stage.environment_of(project.services["backend"])["DATABASE_URL"] == value
        assert obstacle_in(project) == "DATABASE_URL in .env:1 talks to prod.example.com"

    @pytest.mark.parametrize(
        "query", ["port=5999", "host=/run/postgresql", "socketPath=/run/x", "cloudSqlInstance=p:r:i"]
    )
    def test_is_as_bad_as_another_place_on_this_machine(self, root: Path, query: str) -> None:
        value = f"postgresql://app:app@localhost:5432/app?{query}"
        (root / ".env").write_text(f"DATABASE_URL={value}\n")
        stage = ProjectState(root, Broadcaster())
        stage.configure(project_of(root), {})

        assert stage.environment_of(stage.project.services["backend"])["DATABASE_URL"] == value
        assert obstacle_in(project_of(root)) == f"DATABASE_URL in .env:1 {NOT_READ}"


class TestAnyName:
    @pytest.mark.parametrize(
        "name", ["DATABASE_HOST", "POSTGRES_SERVER", "SQL_HOST", "DB_ADDRESS", "PGHOSTADDR", "DB_ADDR"]
    )
    def test_of_a_host_elsewhere_keeps_it_back(self, root: Path, name: str) -> None:
        (root / ".env").write_text(f"{name}=prod.example.com\n")

        assert obstacle_in(project_of(root)) == f"{name} in .env:1 talks to prod.example.com"

    @pytest.mark.parametrize(
        "name",
        [
            "DB_CONNECTION_STRING",
            "MY_CONN",
            "SUPABASE_URL",
            "DATABASE_URL_PROD",
            "DIRECT_URL",
            "database_url",
        ],
    )
    def test_of_a_url_elsewhere_keeps_it_back(self, root: Path, name: str) -> None:
        (root / ".env").write_text(f"{name}={REMOTE}\n")

        assert obstacle_in(project_of(root)) == f"{name} in .env:1 talks to prod.example.com"

    def test_of_a_database_that_is_called_like_a_file_keeps_it_back(self, root: Path) -> None:
        (root / ".env").write_text("DATABASE_URL=postgresql://app:x@prod.example.com/app.db\n")

        assert obstacle_in(project_of(root)) == "DATABASE_URL in .env:1 talks to prod.example.com"

    def test_of_a_service_in_a_file_of_libpq_keeps_it_back(self, root: Path) -> None:
        (root / ".env").write_text("PGSERVICE=prod\n")

        assert (
            obstacle_in(project_of(root))
            == "PGSERVICE in .env:1 names a service of libpq, which may be any server"
        )

    def test_of_a_host_without_a_readable_form_keeps_it_back(self, root: Path) -> None:
        (root / ".env").write_text("DB_HOST=/cloudsql/p:r:i\nDB_USER=app\n")

        assert obstacle_in(project_of(root)) == f"DB_HOST in .env:1 {NOT_READ}"

    def test_of_a_host_whose_port_is_another_servers_keeps_it_back(self, root: Path) -> None:
        project = project_of(root, STORE_DB_HOST="localhost", STORE_DB_PORT="5999")

        assert (
            obstacle_in(project)
            == "STORE_DB_PORT in its `env` names port 5999, where devinit runs no database"
        )

    @pytest.mark.parametrize(
        "line",
        [
            "TEST_DATABASE_URL=postgresql://ci@ci.example.com/app_test",
            "SHADOW_DATABASE_URL=postgresql://ci@ci.example.com/shadow",
            "REDIS_URL=redis://cache.example.com",
            "API_URL=https://api.example.com",
            "SUPABASE_URL=https://x.supabase.example",
            "DB_CONNECTION=pgsql",
            "POSTGRES_HOST_PORT=5440",
            "DB_HOST=localhost",
            "DATABASE_HOST=db",
            "MONGODB_URI=mongodb+srv://a:b@cluster.example.com/app",
        ],
    )
    def test_of_what_no_migration_reads_does_not(self, root: Path, line: str) -> None:
        (root / ".env").write_text(f"{line}\n")

        assert obstacle_in(project_of(root)) is None


class TestTheShellOfTheCaller:
    def test_keeps_it_back_with_a_database_of_its_own(self, root: Path) -> None:
        default = "postgresql://app:app@localhost:5432/app"
        (root / "config.py").write_text(f'import os\nos.getenv("APP_DATABASE_URL", "{default}")\n')

        assert obstacle_in(project_of(root), APP_DATABASE_URL=REMOTE) == (
            "APP_DATABASE_URL in the shell that called devinit talks to prod.example.com"
        )
        assert obstacle_in(project_of(root), APP_DATABASE_URL="postgresql://a:b@localhost:5432/other") == (
            "APP_DATABASE_URL in the shell that called devinit names localhost:5432, where devinit runs no database"
        )
        assert obstacle_in(project_of(root)) is None

    def test_keeps_it_back_under_a_name_that_no_code_is_known_to_read(self, root: Path) -> None:
        assert obstacle_in(project_of(root), DATABASE_HOST="203.0.113.7") == (
            "DATABASE_HOST in the shell that called devinit talks to 203.0.113.7"
        )

    def test_does_not_where_devinit_gives_the_name(self, root: Path) -> None:
        assert obstacle_in(project_of(root), DATABASE_URL=REMOTE, PGHOST="prod.example.com") is None

    def test_does_not_where_the_service_does_not_take_the_name_from_it(self, root: Path) -> None:
        assert obstacle_in(project_of(root), PGHOSTADDR="203.0.113.7", PGSERVICE="prod") is None


class TestDevinitToml:
    def test_keeps_it_back_wherever_it_names_another_server(self, root: Path) -> None:
        of_all = replace(project_of(root), environment={"DATABASE_URL": REMOTE})

        assert obstacle_in(of_all) == "DATABASE_URL in [environment] talks to prod.example.com"
        assert obstacle_in(project_of(root, DATABASE_URL=REMOTE)) == (
            "DATABASE_URL in its `env` talks to prod.example.com"
        )

    def test_does_not_with_references_to_ours(self, root: Path) -> None:
        ours = "postgresql://${POSTGRES_USER}@${POSTGRES_HOST}:${POSTGRES_PORT}/c"

        assert obstacle_in(project_of(root, DATABASE_URL=ours)) is None
        assert obstacle_in(replace(project_of(root), environment={"DATABASE_URL": ours})) is None

    @pytest.mark.parametrize("url", [REMOTE, "postgresql://app:x@localhost:5432/app"])
    def test_keeps_it_back_with_a_server_that_devinit_does_not_run(self, root: Path, url: str) -> None:
        project = project_of(root)
        external = replace(project.services["postgres"], port=None, settings=None, external_url=url)

        found = obstacle_in(replace(project, services={**project.services, "postgres": external}))

        assert (
            found == "postgres is a server that devinit does not run: services.postgres.url in devinit.toml"
        )

    def test_does_not_with_a_second_server_that_nothing_reads(self, root: Path) -> None:
        project = project_of(root)
        other = Service(name="stats", provider="postgres", directory=root, external_url=REMOTE)
        both = replace(project, services={**project.services, "stats": other})

        assert obstacle_in(both) is None

        (root / "config.py").write_text('import os\nos.environ["STATS_URL"]\n')

        assert obstacle_in(both) == (
            "stats is a server that devinit does not run: services.stats.url in devinit.toml"
        )


class TestCode:
    def test_that_falls_back_to_another_machine_keeps_it_back(self, root: Path) -> None:
        (root / "config.py").write_text(
            f'import os\nos.environ["DATABASE_URL"]\nos.getenv("STORE", "{REMOTE}")\n'
        )

        assert obstacle_in(project_of(root)) == (
            "config.py:3 talks to prod.example.com where STORE has no value"
        )

    def test_that_lets_its_file_override_the_environment_reads_what_the_file_says(self, root: Path) -> None:
        (root / ".env").write_text("DATABASE_URL=postgresql://app:app@localhost:5432/app\n")

        assert obstacle_in(project_of(root)) is None

        (root / "app.py").write_text("from dotenv import load_dotenv\nload_dotenv(override=True)\n")

        assert obstacle_in(project_of(root)) == (
            "DATABASE_URL in .env:1 names localhost:5432, where devinit runs no database"
        )

    def test_that_loads_a_file_by_itself_reads_it(self, root: Path) -> None:
        (root / "config.py").write_text(
            'class Settings(BaseSettings):\n    model_config = SettingsConfigDict(env_file="local.env")\n'
        )
        (root / "local.env").write_text(f"MY_CONN={REMOTE}\n")

        assert obstacle_in(project_of(root)) == "MY_CONN in local.env:1 talks to prod.example.com"


class TestTheConfigurationOfATool:
    ENV_PY = 'config.get_main_option("sqlalchemy.url")\nengine_from_config(section, prefix="sqlalchemy.")\n'

    @pytest.fixture
    def alembic(self, root: Path) -> Path:
        """Return the folder of its revisions; the settings of the application read DATABASE_URL."""
        (root / "settings.py").write_text('import os\nos.environ["DATABASE_URL"]\n')
        (root / "alembic.ini").write_text(
            f"[alembic]\nscript_location = %(here)s/revisions\nsqlalchemy.url = {REMOTE}\n"
        )
        folder = root / "revisions"
        folder.mkdir()
        return folder

    def test_of_alembic_counts_where_nothing_replaces_its_url(self, root: Path, alembic: Path) -> None:
        (alembic / "env.py").write_text(self.ENV_PY)

        assert obstacle_in(project_of(root)) == "sqlalchemy.url in alembic.ini talks to prod.example.com"

        (root / "alembic.ini").write_text(
            "[alembic]\nscript_location = revisions\nsqlalchemy.url = postgresql://a:b@localhost:5433/shop\n"
        )

        assert obstacle_in(project_of(root)) is None

    @pytest.mark.parametrize(
        "line",
        [
            'config.set_main_option("sqlalchemy.url", settings.database_url)',
            "engine = create_async_engine(settings.database_url)",
            'context.configure(url=os.environ["DATABASE_URL"])',
        ],
    )
    def test_of_alembic_does_not_where_its_code_does(self, root: Path, alembic: Path, line: str) -> None:
        (alembic / "env.py").write_text(f"{self.ENV_PY}{line}\n")

        assert obstacle_in(project_of(root)) is None

    def test_of_alembic_is_the_one_that_the_command_names(self, root: Path, alembic: Path) -> None:
        (alembic / "env.py").write_text(self.ENV_PY)
        (root / "db").mkdir()
        (root / "alembic.ini").rename(root / "db" / "alembic.ini")
        (root / "db" / "alembic.ini").write_text(
            f"[alembic]\nscript_location = revisions\nsqlalchemy.url = {REMOTE}\n"
        )
        stage = ProjectState(root, Broadcaster())
        stage.configure(project_of(root), {})
        backend = stage.project.services["backend"]

        assert stage.obstacle_to("python -m alembic -c db/alembic.ini upgrade head", backend) == (
            "sqlalchemy.url in db/alembic.ini talks to prod.example.com"
        )
        assert stage.obstacle_to("python -m alembic upgrade head", backend) is None

    def test_of_prisma_counts(self, root: Path) -> None:
        (root / "prisma").mkdir()
        schema = root / "prisma/schema.prisma"
        schema.write_text(
            'datasource db {\n  provider = "postgresql"\n'
            f'  // url = "{REMOTE}"\n  url = env("DATABASE_URL")\n}}\n'
        )

        assert obstacle_in(project_of(root)) is None

        schema.write_text(f'datasource db {{\n  provider = "postgresql"\n  directUrl = "{REMOTE}"\n}}\n')

        assert obstacle_in(project_of(root)) == (
            "directUrl in prisma/schema.prisma:3 talks to prod.example.com"
        )

    def test_of_prisma_may_load_a_file_beside_its_schema(self, root: Path) -> None:
        (root / "prisma").mkdir()
        (root / "prisma/schema.prisma").write_text('  directUrl = env("DIRECT_URL")\n')
        (root / "prisma/.env").write_text(f"DATABASE_URL={REMOTE}\nDIRECT_URL={REMOTE}\n")

        assert obstacle_in(project_of(root)) == "DIRECT_URL in prisma/.env:2 talks to prod.example.com"

    def test_of_the_package_that_a_command_goes_to_counts(self, root: Path) -> None:
        package = root / "packages" / "db"
        (package / "prisma").mkdir(parents=True)
        (package / "prisma/schema.prisma").write_text('  directUrl = env("DIRECT_URL")\n')
        (package / ".env").write_text(f"DIRECT_URL={REMOTE}\n")
        stage = ProjectState(root, Broadcaster())
        stage.configure(project_of(root), {})
        backend = stage.project.services["backend"]

        command = "cd packages/db && npx --no-install prisma migrate deploy"

        assert stage.obstacle_to("npx --no-install prisma migrate deploy", backend) is None
        assert stage.obstacle_to(command, backend) == (
            "DIRECT_URL in packages/db/.env:1 talks to prod.example.com"
        )

        (package / ".env").unlink()
        (package / "prisma/schema.prisma").write_text(f'  url = "{REMOTE}"\n')

        assert stage.obstacle_to(command, backend) == (
            "url in packages/db/prisma/schema.prisma:1 talks to prod.example.com"
        )


class TestAServiceThatIsAMigration:
    def refused(self, root: Path, command: str, **changes: object) -> str:
        project = project_of(root, DATABASE_URL=REMOTE)
        migrate = replace(
            project.services["backend"], name="migrate", command=command, before_start=(), **changes
        )
        project = replace(project, services={**project.services, "migrate": migrate})
        stage = ProjectState(root, Broadcaster())
        stage.configure(project, {"PATH": "/bin"})
        try:
            refuse_foreign_migration(stage.project.services["migrate"], stage)
        except ServiceError as error:
            return error.message
        return ""

    def test_is_not_run_where_it_would_reach_another_database(self, root: Path) -> None:
        assert self.refused(root, COMMAND).startswith(f"'{COMMAND}' was not run, because DATABASE_URL")

    def test_is_run_where_it_does_something_else(self, root: Path) -> None:
        assert self.refused(root, "python worker.py") == ""

    def test_is_a_server_that_only_has_the_name_of_one(self, root: Path) -> None:
        port = PortRequest(service="migrate", preferred=8000, first=8000, last=8099)

        assert self.refused(root, "serve-migrations", port=port) == ""
