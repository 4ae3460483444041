"""Specifies what a service is given where the project itself says something about a variable."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from devinit.kinds.postgres.kind import PostgresSettings
from devinit.model.evidence import Evidence
from devinit.model.port import PortRequest
from devinit.model.service import Project, Service
from devinit.supervisor.events import Broadcaster
from devinit.supervisor.project.project_state import ProjectState
from devinit.supervisor.service.own_values import is_kept_back, with_own_values

if TYPE_CHECKING:
    from pathlib import Path

ASYNC = "postgresql+asyncpg://app:app@localhost:5432/app"


def request(name: str, port: int) -> PortRequest:
    return PortRequest(service=name, preferred=port, first=port, last=port + 99)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "shop"
    for folder in ("backend", "frontend"):
        (path / folder).mkdir(parents=True)
    return path


@pytest.fixture
def stage(root: Path) -> ProjectState:
    return ProjectState(root, Broadcaster())


def shop(root: Path, **fields: object) -> Project:
    settings = PostgresSettings(database="shop", user="shop", password="secret")
    services = (
        Service(
            name="postgres",
            provider="postgres",
            directory=root,
            port=request("postgres", 5433),
            settings=settings,
        ),
        Service(
            name="backend",
            directory=root / "backend",
            port=request("backend", 8001),
            depends_on=("postgres",),
            command="serve",
            **fields,  # type: ignore[arg-type]  # as given
        ),
        Service(
            name="frontend",
            directory=root / "frontend",
            port=request("frontend", 5174),
            depends_on=("backend",),
            command="serve",
        ),
    )
    return Project(name="shop", root=root, services={each.name: each for each in services})


def given(stage: ProjectState, project: Project, service: str = "backend", **caller: str) -> dict[str, str]:
    stage.configure(project, {"PATH": "/bin", **caller})
    return stage.environment_of(stage.project.services[service])


class TestAValueOfAnEnvFile:
    def test_gets_our_address_and_keeps_its_form(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(
            f'DATABASE_URL={ASYNC}\nCORS_ORIGINS=["http://localhost:5173"]\nAPP_DATABASE_URL={ASYNC}?a=b\n'
        )

        values = given(stage, shop(root))

        ours = "postgresql+asyncpg://shop:secret@localhost:5433/shop"
        assert values["DATABASE_URL"] == ours
        assert values["APP_DATABASE_URL"] == f"{ours}?a=b"
        assert values["CORS_ORIGINS"] == (
            '["http://localhost:5173","http://localhost:5174","http://127.0.0.1:5174"]'
        )

    def test_that_is_composed_is_that_of_its_parts(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(
            "DB_HOST=localhost\nDB_PORT=5432\nDB_USER=a\nDB_PASSWORD=b\nDB_NAME=c\n"
            "DSN=postgresql+psycopg://${DB_USER}:${DB_PASSWORD}@${DB_HOST}:${DB_PORT}/${DB_NAME}\n"
        )

        values = given(stage, shop(root))

        assert values["DSN"] == "postgresql+psycopg://shop:secret@localhost:5433/shop"
        assert values["DB_PORT"] == "5433"

    def test_of_another_form_is_not_replaced(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text('DATABASE_URL=sqlite:///./dev.db\nCORS_ORIGINS=["*"]\n')

        values = given(stage, shop(root))

        assert values["DATABASE_URL"] == "sqlite:///./dev.db"
        assert values["CORS_ORIGINS"] == '["*"]'

    def test_is_one_of_the_service_alone(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text("API_URL=http://localhost:8001/internal\n")

        assert "API_URL" not in given(stage, shop(root), "frontend")

    def test_gives_way_to_what_devinit_toml_says(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(f"DATABASE_URL={ASYNC}\n")

        values = given(stage, shop(root, env={"DATABASE_URL": "mine"}))

        assert values["DATABASE_URL"] == "mine"

    def test_that_has_changed_counts_when_the_service_is_started_again(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / "backend/.env").write_text(f"DATABASE_URL={ASYNC}\n")
        given(stage, shop(root))
        (root / "backend/.env").write_text("DATABASE_URL=sqlite:///./dev.db\n")

        values = stage.environment_of(stage.project.services["backend"])

        assert values["DATABASE_URL"] == "sqlite:///./dev.db"

    def test_in_small_letters_is_the_same_name_to_pydantic(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(f"database_url={ASYNC}\n")

        values = given(stage, shop(root))

        assert values["database_url"] == values["DATABASE_URL"]
        assert values["DATABASE_URL"].startswith("postgresql+asyncpg://shop:")

    def test_is_no_address_of_another_machine_in_the_place_of_ours(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / "backend/.env").write_text("POSTGRES_HOST=db.example.com\nPOSTGRES_USER=ada\n")

        values = given(stage, shop(root))

        assert values["POSTGRES_HOST"] == "db.example.com"
        assert values["POSTGRES_USER"] == "ada"
        assert "POSTGRES_PASSWORD" not in values


class TestAFileThatNodeLoads:
    def test_is_rewritten_as_well(self, root: Path, stage: ProjectState) -> None:
        (root / "frontend/package.json").write_text("{}")
        (root / "frontend/.env.development").write_text("VITE_API_URL=http://localhost:8000/api/v1\n")

        assert given(stage, shop(root), "frontend")["VITE_API_URL"] == "http://localhost:8001/api/v1"

    def test_is_left_to_node_where_it_leads_to_another_machine(self, root: Path, stage: ProjectState) -> None:
        (root / "frontend/package.json").write_text("{}")
        (root / "frontend/.env.development").write_text("VITE_API_URL=https://api.example.com\n")

        assert "VITE_API_URL" not in given(stage, shop(root), "frontend")

    def test_counts_more_than_the_env_file(self, root: Path, stage: ProjectState) -> None:
        (root / "frontend/package.json").write_text("{}")
        (root / "frontend/.env").write_text("VITE_API_URL=http://localhost:8000\n")
        (root / "frontend/.env.local").write_text("VITE_API_URL=http://localhost:8000/local\n")

        assert given(stage, shop(root), "frontend")["VITE_API_URL"] == "http://localhost:8001/local"

    def test_that_leads_out_of_the_repository_is_not_read(
        self, root: Path, stage: ProjectState, tmp_path: Path
    ) -> None:
        (tmp_path / "secrets").write_text("VITE_API_URL=http://localhost:8000/secret\n")
        (root / "frontend/package.json").write_text("{}")
        (root / "frontend/.env.local").symlink_to(tmp_path / "secrets")

        assert given(stage, shop(root), "frontend")["VITE_API_URL"] == "http://localhost:8001"


class TestAnExample:
    def test_gives_the_form_of_a_name_without_a_value(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env.example").write_text(
            "DATABASE_URL=postgresql+asyncpg://user:pw@host:5432/db\nOTHER=1\n"
        )

        values = given(stage, shop(root))

        assert values["DATABASE_URL"] == "postgresql+asyncpg://shop:secret@127.0.0.1:5433/shop"
        assert "OTHER" not in values


class TestCode:
    def test_gives_the_form_of_a_name_without_a_value(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/app").mkdir()
        (root / "backend/app/config.py").write_text(
            "class Settings(BaseSettings):\n"
            '    database_url: str = "postgresql+asyncpg://app:app@localhost:5432/app"\n'
            '    cors_origins: list[str] = ["https://shop.example"]\n'
            "    broker_url: RedisDsn\n"
            "    stats_database_url: str\n"
        )

        values = given(stage, shop(root))

        assert values["DATABASE_URL"] == "postgresql+asyncpg://shop:secret@localhost:5433/shop"
        assert values["CORS_ORIGINS"] == (
            '["https://shop.example","http://localhost:5174","http://127.0.0.1:5174"]'
        )
        assert values["STATS_DATABASE_URL"] == "postgresql://shop:secret@127.0.0.1:5433/shop"
        assert "BROKER_URL" not in values

    def test_gives_way_to_a_file(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/config.py").write_text(f'import os\nos.getenv("DATABASE_URL", "{ASYNC}")\n')
        (root / "backend/.env").write_text("DATABASE_URL=postgresql+psycopg://a:b@localhost/c\n")

        assert given(stage, shop(root))["DATABASE_URL"].startswith("postgresql+psycopg://shop:")

    def test_gives_way_to_the_shell_of_the_caller_for_names_that_devinit_does_not_know(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / "backend/config.py").write_text(f'import os\nos.getenv("APP_DATABASE_URL", "{ASYNC}")\n')
        mine = {"APP_DATABASE_URL": "postgresql://mine@localhost/mine"}

        assert given(stage, shop(root), **mine)["APP_DATABASE_URL"] == "postgresql://mine@localhost/mine"
        loaded = given(stage, shop(root), **mine, DEVINIT_PROJECT=str(root))
        assert loaded["APP_DATABASE_URL"] == "postgresql+asyncpg://shop:secret@localhost:5433/shop"

    def test_says_how_a_list_of_one_entry_in_a_file_is_written(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/config.py").write_text('import os\nos.getenv("CORS_ORIGINS", "").split(",")\n')
        (root / "backend/.env").write_text("CORS_ORIGINS=http://localhost:5173\n")

        assert given(stage, shop(root))["CORS_ORIGINS"] == (
            "http://localhost:5173,http://localhost:5174,http://127.0.0.1:5174"
        )

    def test_of_a_page_keeps_the_path_of_its_api(self, root: Path, stage: ProjectState) -> None:
        (root / "frontend/src").mkdir()
        (root / "frontend/src/api.ts").write_text(
            'export const url = import.meta.env.VITE_API_URL ?? "http://localhost:8000/api/v1";\n'
        )

        assert given(stage, shop(root), "frontend")["VITE_API_URL"] == "http://localhost:8001/api/v1"

    def test_of_a_page_that_asks_its_own_origin_is_given_no_address(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / "frontend/src").mkdir()
        (root / "frontend/src/api.ts").write_text('const url = import.meta.env.VITE_API_URL || "/api";\n')

        assert "VITE_API_URL" not in given(stage, shop(root), "frontend")

    def test_loads_the_files_that_it_names(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/config.py").write_text(
            'class Settings(BaseSettings):\n    model_config = SettingsConfigDict(env_file="local.env")\n'
        )
        (root / "backend/local.env").write_text(f"APP_DATABASE_URL={ASYNC}\n")

        values = given(stage, shop(root))

        assert values["APP_DATABASE_URL"] == "postgresql+asyncpg://shop:secret@localhost:5433/shop"

    def test_is_read_once_and_again_for_the_next_order(self, root: Path, stage: ProjectState) -> None:
        config, project = root / "backend/config.py", shop(root)
        config.write_text(f'import os\nos.getenv("DATABASE_URL", "{ASYNC}")\n')
        before = given(stage, project)["DATABASE_URL"]
        config.write_text('import os\nos.getenv("DATABASE_URL", "postgresql+psycopg://localhost/c")\n')

        unread = stage.environment_of(project.services["backend"])["DATABASE_URL"]
        stage.read_code(project)
        read = stage.environment_of(project.services["backend"])["DATABASE_URL"]

        assert before == unread
        assert read == "postgresql+psycopg://shop:secret@localhost:5433/shop"

    def test_of_another_service_below_a_folder_is_not_that_of_the_folder(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / "backend/config.py").write_text(f'import os\nos.getenv("APP_DATABASE_URL", "{ASYNC}")\n')
        project = shop(root)
        web = replace(project.services["frontend"], directory=root)

        values = given(stage, replace(project, services={**project.services, "frontend": web}), "frontend")

        assert "APP_DATABASE_URL" not in values


class TestAPortInAnEnvFile:
    @pytest.fixture
    def project(self, root: Path) -> Project:
        worker = Service(name="worker", directory=root / "backend", command="work")
        found = shop(root)
        return replace(found, services={**found.services, "worker": worker})

    def test_of_a_server_is_not_that_of_a_worker_that_is_given_the_same_file(
        self, root: Path, stage: ProjectState, project: Project
    ) -> None:
        (root / "backend/.env").write_text("PORT=8000\nNAME=ada\n")

        worker = given(stage, project, "worker")

        assert "PORT" not in worker
        assert worker["NAME"] == "ada"
        assert stage.environment_of(project.services["backend"])["PORT"] == "8001"

    def test_of_the_worker_alone_is_its_own(self, root: Path, stage: ProjectState, project: Project) -> None:
        (root / "worker.env").write_text("PORT=9000\n")
        worker = replace(project.services["worker"], env_file=(root / "worker.env",))

        values = given(stage, replace(project, services={**project.services, "worker": worker}), "worker")

        assert values["PORT"] == "9000"


class TestWhereAValueComesFrom:
    def test_is_known_of_each(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(
            f"DATABASE_URL={ASYNC}\nPOSTGRES_USER=ada\nPOSTGRES_DB=a\nBACKEND_PORT=1\nNAME=ada\n"
        )
        (root / "backend/.env.example").write_text('CORS_ORIGINS=["http://localhost:5173"]\n')
        given(stage, shop(root, env={"MINE": "1"}), HOME="/home")

        origins = {
            name: each.text for name, each in stage.origins_of(stage.project.services["backend"]).items()
        }

        assert "HOME" not in origins
        assert {
            name: origins[name] for name in ("DATABASE_URL", "BACKEND_PORT", "NAME", "MINE", "PGHOST")
        } == {
            "DATABASE_URL": "rewritten from backend/.env:1",
            "BACKEND_PORT": "devinit, over backend/.env:4",
            "NAME": "from backend/.env:5",
            "MINE": "stated in services.backend.env",
            "PGHOST": "devinit",
        }
        assert origins["CORS_ORIGINS"] == "devinit, in the form of backend/.env.example:1"

    def test_is_told_of_a_name_that_a_failure_names(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text("NAME=ada\n\nCORS_ORIGINS=http://localhost:5173\n")
        project = shop(root)
        given(stage, project)
        words = ['error parsing value for field "cors_origins" from source "EnvSettingsSource"']

        cause = with_own_values("SettingsError", words, project.services["backend"], stage)

        assert cause == "SettingsError\nCORS_ORIGINS was set by devinit over backend/.env:3"

    def test_is_not_told_of_a_port_that_any_message_speaks_of(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text("PORT=9000\nBACKEND_PORT=9000\n")
        project = shop(root)
        given(stage, project)
        words = ["the PORT 9000 is not free, choose another port for the backend"]

        assert with_own_values("x", words, project.services["backend"], stage) == "x"

    def test_is_not_told_of_a_name_that_devinit_has_not_set(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text("NAME=ada\n")
        project = shop(root)
        given(stage, project)

        assert with_own_values("x", ["NAME is bad"], project.services["backend"], stage) == "x"


class TestAFileThatOverridesTheEnvironment:
    def test_is_told_with_the_line_that_lets_it(self, root: Path, stage: ProjectState) -> None:
        told: list[str] = []
        stage.broadcaster.note = lambda message, service=None: told.append(message)  # type: ignore[method-assign]
        (root / "backend/.env").write_text(f"DATABASE_URL={ASYNC}\nNAME=ada\n")
        (root / "backend/app.py").write_text("from dotenv import load_dotenv\nload_dotenv(override=True)\n")
        given(stage, shop(root))

        stage.publish()

        assert [text for text in told if "override" in text] == [
            "DATABASE_URL in backend/.env:1 counts as it is: backend/app.py:2 lets the file override the environment"
        ]


class TestADetectedMigration:
    COMMAND = "python -m alembic upgrade head"

    @pytest.fixture
    def project(self, root: Path) -> Project:
        """The settings read a name that says neither which server is meant nor where it is."""
        (root / "backend/settings.py").write_text('import os\nos.environ["SHOP_PRIMARY_SQL_HOST"]\n')
        return shop(root, before_start=(self.COMMAND, "npm run build"))

    def test_is_not_run_against_a_server_that_devinit_has_not_given(
        self, stage: ProjectState, project: Project
    ) -> None:
        told: list[str] = []
        stage.broadcaster.note = lambda message, service=None: told.append(message)  # type: ignore[method-assign]
        given(stage, project)
        backend = project.services["backend"]

        kept_back = [is_kept_back(command, backend, stage) for command in backend.before_start]

        assert kept_back == [True, False]
        assert "".join(told) == (
            "backend: 'python -m alembic upgrade head' was not run, because the settings read SHOP_PRIMARY_SQL_HOST "
            "(backend/settings.py:2), and devinit gives none of these; `before_start` in devinit.toml runs it anyway"
        )

    def test_is_run_when_devinit_toml_gives_the_name(self, stage: ProjectState, project: Project) -> None:
        backend = replace(project.services["backend"], env={"SHOP_PRIMARY_SQL_HOST": "${POSTGRES_HOST}"})
        given(stage, replace(project, services={**project.services, "backend": backend}))

        assert stage.obstacle_to(self.COMMAND, backend) is None

    def test_that_devinit_toml_states_is_run(self, root: Path, stage: ProjectState, project: Project) -> None:
        stated = Evidence(about="command, before_start", file="devinit.toml")
        given(stage, replace(project, source=root / "devinit.toml", evidence={"backend": (stated,)}))

        assert stage.obstacle_to(self.COMMAND, project.services["backend"]) is None

    def test_whose_configuration_names_the_port_of_another_server_is_not_run(
        self, root: Path, stage: ProjectState
    ) -> None:
        (root / "backend/alembic.ini").write_text(
            "[alembic]\nsqlalchemy.url = postgresql://a:b@localhost:5432/c\n"
        )
        project = shop(root)
        given(stage, project)

        assert stage.obstacle_to(self.COMMAND, project.services["backend"]) == (
            "backend/alembic.ini names localhost:5432, and no variable tells it another one"
        )

    def test_whose_code_has_another_server_as_a_constant_is_not_run(
        self, root: Path, stage: ProjectState
    ) -> None:
        project = shop(root)
        (root / "backend/settings.py").write_text(
            'DATABASES = {\n    "default": {"ENGINE": "django.db.backends.postgresql", "HOST": "localhost"}\n}\n'
        )
        given(stage, project)

        assert stage.obstacle_to("python manage.py migrate --noinput", project.services["backend"]) == (
            "backend/settings.py:2 names localhost:5432, and no variable tells it another one"
        )


class TestANameThatIsLeftOut:
    def test_is_not_given(self, root: Path, stage: ProjectState) -> None:
        project = shop(
            root, env={"CORS_ORIGINS": "false", "HOST": "false"}, left_out=("CORS_ORIGINS", "HOST")
        )

        values = given(stage, project)

        assert values.keys() & {"CORS_ORIGINS", "HOST"} == set()
        assert "CORS_ORIGINS" in stage.environment

    def test_is_the_projects_own_where_a_file_has_it(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(f"DATABASE_URL={ASYNC}\n")

        values = given(stage, shop(root, env={"DATABASE_URL": "false"}, left_out=("DATABASE_URL",)))

        assert values["DATABASE_URL"] == ASYNC

    def test_may_still_be_referred_to(self, root: Path, stage: ProjectState) -> None:
        env = {"CORS_ORIGINS": "false", "MINE": "${CORS_ORIGINS}"}

        values = given(stage, shop(root, env=env, left_out=("CORS_ORIGINS",)))

        assert values["MINE"] == "http://localhost:5174,http://127.0.0.1:5174"

    def test_is_left_out_for_all_services_by_the_project(self, root: Path, stage: ProjectState) -> None:
        project = replace(
            shop(root),
            environment={"CORS_ORIGINS": "false", "PGHOST": "false", "DEBUG": "false"},
            left_out=("CORS_ORIGINS", "PGHOST", "DEBUG"),
        )

        values = given(stage, project)

        assert values.keys() & {"CORS_ORIGINS", "PGHOST"} == set()
        assert stage.environment.keys() & {"CORS_ORIGINS", "PGHOST"} == set()
        assert values["DEBUG"] == stage.environment["DEBUG"] == "false"

    def test_is_any_other_names_text(self, root: Path, stage: ProjectState) -> None:
        project = shop(root, env={"DEBUG": "false"}, left_out=("DEBUG",))

        values = given(stage, replace(project, environment={"DEBUG": "true"}))

        assert values["DEBUG"] == "false"


class TestAProjectWithoutSuchFiles:
    def test_loads_neither_the_rule_nor_a_parser(self, root: Path) -> None:
        program = (
            "import sys\nfrom pathlib import Path\n"
            "from devinit.model.service import Project, Service\n"
            "from devinit.supervisor.events import Broadcaster\n"
            "from devinit.supervisor.project.project_state import ProjectState\n"
            "root = Path(sys.argv[1])\n"
            'web = Service(name="web", directory=root, command="serve")\n'
            'project = Project(name="shop", root=root, services={"web": web})\n'
            "before = {*sys.modules}\n"
            "stage = ProjectState(root, Broadcaster())\n"
            "stage.read_code(project)\n"
            "stage.configure(project, {})\n"
            "stage.environment_of(web)\n"
            "print(*({*sys.modules} - before))\n"
        )

        done = subprocess.run(
            [sys.executable, "-c", program, str(root)], capture_output=True, text=True, check=False
        )

        loaded = {
            name for name in done.stdout.split() if name.startswith(("devinit.runtime.", "ast", "urllib"))
        }
        assert (done.returncode, done.stderr) == (0, "")
        assert loaded == set()


class TestTheRuntimeEnvironment:
    def test_has_the_form_on_which_all_services_agree(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(f"DATABASE_URL={ASYNC}\nFRONTEND_HOST=http://localhost:5173\n")

        given(stage, shop(root))

        assert stage.environment["DATABASE_URL"] == "postgresql+asyncpg://shop:secret@localhost:5433/shop"
        assert stage.environment["FRONTEND_HOST"] == "127.0.0.1"

    def test_keeps_the_url_of_a_service_that_programs_look_up(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text("POSTGRES_URL=jdbc:postgresql://localhost:5432/app\n")

        assert given(stage, shop(root))["POSTGRES_URL"] == "jdbc:postgresql://localhost:5433/shop"
        assert stage.environment["POSTGRES_URL"] == "postgresql://shop:secret@127.0.0.1:5433/shop"

    def test_has_devinits_form_where_they_do_not_agree(self, root: Path, stage: ProjectState) -> None:
        (root / "backend/.env").write_text(f"DATABASE_URL={ASYNC}\n")
        (root / "frontend/.env").write_text("DATABASE_URL=postgresql://a:b@localhost:5432/c\n")

        given(stage, shop(root))

        assert stage.environment["DATABASE_URL"] == "postgresql://shop:secret@127.0.0.1:5433/shop"

    def test_lacks_a_name_whose_value_is_the_projects(self, root: Path, stage: ProjectState) -> None:
        (root / ".env").write_text("DATABASE_URL=sqlite:///./dev.db\n")

        given(stage, shop(root))

        assert "DATABASE_URL" not in stage.environment


class TestTheDeveloper:
    def test_is_told_which_values_stay_and_why_once(self, root: Path) -> None:
        told: list[str] = []
        stage = ProjectState(root, Broadcaster())
        stage.broadcaster.note = lambda message, service=None: told.append(message)  # type: ignore[method-assign]
        (root / "backend/.env").write_text(
            "DATABASE_URL=postgresql://a:b@db.example.com/c\n\nUP=localhost:5432\n"
        )
        given(stage, shop(root))

        stage.publish()
        stage.publish()

        assert [text for text in told if "DATABASE_URL" in text or "UP" in text] == [
            "backend talks to db.example.com: DATABASE_URL in backend/.env:1 is left as it is",
            "UP in backend/.env:3 is left as it is: it names localhost:5432",
        ]
