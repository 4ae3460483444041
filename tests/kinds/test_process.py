"""Specifies `devinit.kinds.process.provider`: any command as a service."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import pytest
from msgspec.structs import replace

from devinit.errors import ConfigError, ServiceError
from devinit.kinds.process.provider import ProcessProvider
from devinit.kinds.provider import Install
from devinit.kinds.providers import Place
from devinit.model.probe import ExecProbe, HttpProbe, LogProbe, Probe, StayedUpProbe, TcpProbe
from devinit.model.service import Endpoint, Readiness, Service, StopPolicy, StopTarget

PROVIDER = ProcessProvider()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(project="shop", root=tmp_path, data=tmp_path / ".devinit/data", environment={})


def a_service(
    directory: Path,
    command: str | None = "serve",
    *,
    setup: tuple[str, ...] = (),
    ready: Readiness | None = None,
) -> Service:
    return Service(name="web", command=command, directory=directory, setup=setup, ready=ready or Readiness())


def with_program(place: Place, name: str) -> Place:
    """Return a place whose PATH has a program of a name."""
    folder = place.data.parent / "bin"
    folder.mkdir(parents=True)
    (folder / name).touch(mode=0o755)
    return replace(place, environment={"PATH": f"{folder}:/bin:/usr/bin"})


class TestTheEndpoint:
    def test_is_what_a_browser_opens(self) -> None:
        service = Service(
            name="backend",
            directory=Path("/"),
            url_path="app",
            docs_path="/docs",
            ready=Readiness(http="/health"),
            port_env=("API_PORT",),
        )

        assert PROVIDER.endpoint(service, 8001) == Endpoint(
            service="backend",
            host="127.0.0.1",
            port=8001,
            url="http://localhost:8001/app",
            origins=("http://localhost:8001", "http://127.0.0.1:8001"),
            aliases=("API_PORT",),
            docs_url="http://localhost:8001/docs",
            health_url="http://localhost:8001/health",
        )

    def test_has_no_url_without_a_port(self) -> None:
        endpoint = PROVIDER.endpoint(a_service(Path("/")), None)

        assert (endpoint.url, endpoint.port, endpoint.origins) == (None, None, ())

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
    def test_is_reached_by_loopback_when_it_listens_everywhere(self, host: str) -> None:
        service = Service(name="web", directory=Path("/"), host=host)

        assert PROVIDER.endpoint(service, 8000).host in {"127.0.0.1", "::1"}

    def test_of_an_external_server_is_its_url(self, place: Place) -> None:
        service = Service(name="api", directory=Path("/"), external_url="https://api.example.org/v1")

        endpoint = PROVIDER.endpoint(service, None)

        assert (endpoint.host, endpoint.port, endpoint.url) == ("api.example.org", 443, service.external_url)
        assert endpoint.origins == ("https://api.example.org",)
        assert PROVIDER.process(service, endpoint, place, {}) is None

    def test_of_an_external_server_needs_a_host(self) -> None:
        service = Service(name="api", directory=Path("/"), external_url="api.example.org")

        with pytest.raises(ConfigError, match=r"services\.api\.url cannot be used: it names no host"):
            PROVIDER.endpoint(service, None)


class TestTheProbe:
    @pytest.mark.parametrize(
        ("ready", "port", "probe"),
        [
            (Readiness(), 8000, TcpProbe("127.0.0.1", 8000)),
            (Readiness(), None, StayedUpProbe(1.0, settles=True)),
            (Readiness(after_seconds=3), None, StayedUpProbe(3)),
            (Readiness(exec="check"), 8000, ExecProbe("check")),
            (Readiness(log="listening"), None, LogProbe("listening")),
            (
                Readiness(http="health", status=(204,), body="ok"),
                8000,
                HttpProbe(
                    host="127.0.0.1",
                    port=8000,
                    path="/health",
                    status=(204,),
                    body="ok",
                    authority="localhost:8000",
                ),
            ),
        ],
    )
    def test_is_what_ready_asks_for(
        self, ready: Readiness, port: int | None, probe: Probe, place: Place
    ) -> None:
        service = a_service(Path("/"), ready=ready)

        assert PROVIDER.probe(service, PROVIDER.endpoint(service, port), place) == probe


class TestAProcess:
    def test_runs_in_its_directory_with_the_whole_environment(self, place: Place) -> None:
        service = a_service(place.root, "sh -c true")

        spec = PROVIDER.process(service, PROVIDER.endpoint(service, 1), place, {"PATH": "/bin", "PORT": "1"})

        assert spec is not None
        assert (spec.argv, spec.directory) == (("sh", "-c", "true"), place.root)
        assert spec.environment == {"PATH": "/bin", "PORT": "1", "PYTHONUNBUFFERED": "1"}

    def test_needs_a_command(self, place: Place) -> None:
        service = a_service(place.root, None)

        with pytest.raises(ServiceError, match="web has no command"):
            PROVIDER.process(service, PROVIDER.endpoint(service, 1), place, {})

    def test_is_ended_by_term_and_then_by_kill(self) -> None:
        assert PROVIDER.stop(a_service(Path("/"))) == StopPolicy(signal="TERM", grace_seconds=5.0, kill=True)

    def test_lets_a_worker_finish_its_job(self) -> None:
        worker = a_service(Path("/"), command="celery -A shop worker")

        assert PROVIDER.stop(worker) == StopPolicy(to=StopTarget.MAIN, grace_seconds=30.0)
        assert PROVIDER.stop(replace(worker, stop=StopPolicy(signal="QUIT"))).to is StopTarget.MAIN
        assert PROVIDER.stop(replace(worker, stop=StopPolicy(to=StopTarget.ALL))).to is StopTarget.ALL


class TestMissingPackages:
    @pytest.fixture
    def web(self, place: Place) -> Path:
        folder = place.root / "web"
        folder.mkdir()
        (folder / "package.json").write_text('{"devDependencies": {"vite": "^7"}}')
        return folder

    def prepare(self, service: Service, place: Place) -> None:
        PROVIDER.prepare(service, place, print)

    @pytest.mark.parametrize("runner", ["npm", "pnpm", "yarn", "bun"])
    def test_are_named_with_the_command_that_installs_them(
        self, web: Path, place: Place, runner: str
    ) -> None:
        there = with_program(place, runner)

        with pytest.raises(ServiceError, match="web has no node_modules") as error:
            self.prepare(a_service(web, f"{runner} run dev"), there)

        assert f"`{runner} install`" in str(error.value.hint)

    def test_are_seen_before_the_command_is_expanded(self, web: Path, place: Place) -> None:
        with pytest.raises(ServiceError, match="web has no node_modules"):
            self.prepare(a_service(web, "npm run dev -- --port ${PORT} --strictPort"), place)

    @pytest.mark.parametrize("folder", ["node_modules", "web/node_modules", "web/.pnp.cjs"])
    def test_may_lie_in_the_folder_or_at_the_root(self, web: Path, place: Place, folder: str) -> None:
        (place.root / folder).mkdir()

        self.prepare(a_service(web, "npm run dev"), place)

    @pytest.mark.parametrize(
        ("file", "text", "folder"),
        [
            ("package.json", '{"workspaces": ["web", "api"]}', "."),
            ("package.json", '{"workspaces": {"packages": ["*"]}}', "."),
            ("pnpm-workspace.yaml", "packages:\n  - 'web'\n", "."),
            ("package.json", '{"workspaces": ["apps/*"]}', "web"),
            ("package.json", "not json", "web"),
        ],
    )
    def test_of_a_workspace_are_installed_at_its_root(
        self, web: Path, place: Place, file: str, text: str, folder: str
    ) -> None:
        (place.root / file).write_text(text)

        install = PROVIDER.install(a_service(web, "npm run dev"), with_program(place, "npm"))

        assert install is not None
        assert install.folder == place.root / folder

    def test_are_left_to_setup_when_there_is_one(self, web: Path, place: Place) -> None:
        self.prepare(a_service(web, "npm run dev", setup=("npm ci",)), place)

    @pytest.mark.parametrize(
        "command", ["npm install", "npm --prefix ../b run dev", "node server.js", "npm ci && npm start"]
    )
    def test_are_no_matter_for_other_commands(self, web: Path, place: Place, command: str) -> None:
        self.prepare(a_service(web, command), place)

    @pytest.mark.parametrize("content", ["{}", '{"dependencies": {}}', "not json", "[]"])
    def test_are_not_guessed_at(self, web: Path, place: Place, content: str) -> None:
        (web / "package.json").write_text(content)

        self.prepare(a_service(web, "npm run dev"), place)


class TestPackagesThatAreInstalled:
    """`start --setup` installs them again once the files that declare them are newer."""

    def times(self, *, older: Path, newer: Path) -> None:
        os.utime(older, (1_000, 1_000))
        os.utime(newer, (2_000, 2_000))

    @pytest.fixture
    def requirements(self, place: Place) -> Path:
        path = place.root / "requirements.txt"
        path.write_text("flask\n")
        return path

    def environment(self, place: Place, name: str, *programs: str) -> Path:
        folder = place.root / name
        (folder / "bin").mkdir(parents=True)
        (folder / "pyvenv.cfg").touch()
        for program in programs:
            (folder / "bin" / program).touch()
        return folder

    def test_go_into_the_environment_that_is_there(self, place: Place, requirements: Path) -> None:
        environment = self.environment(place, "venv", "pip")
        self.times(older=environment, newer=requirements)

        update = PROVIDER.update(a_service(place.root, "flask run"), place)

        assert update is not None
        assert update.command == "venv/bin/python -m pip install -r requirements.txt"

    def test_go_through_uv_into_one_without_pip(self, place: Place, requirements: Path) -> None:
        environment = self.environment(place, ".venv")
        self.times(older=environment, newer=requirements)

        update = PROVIDER.update(a_service(place.root, "flask run"), place)

        assert update is not None
        assert update.command == "uv pip install --python .venv/bin/python -r requirements.txt"

    def test_are_left_alone_while_they_are_newer(self, place: Place, requirements: Path) -> None:
        environment = self.environment(place, ".venv", "pip")
        self.times(older=requirements, newer=environment)

        assert PROVIDER.update(a_service(place.root, "flask run"), place) is None

    def test_of_node_are_installed_by_its_package_manager(self, place: Place) -> None:
        package, modules = place.root / "package.json", place.root / "node_modules"
        package.write_text('{"dependencies": {"vite": "^7"}}')
        modules.mkdir()
        service = a_service(place.root, "pnpm dev")

        self.times(older=package, newer=modules)
        assert PROVIDER.update(service, place) is None

        self.times(older=modules, newer=package)
        update = PROVIDER.update(service, place)
        assert update is not None
        assert update.command == "pnpm install"


class TestAnEnvironmentWithoutItsInterpreter:
    """The Python that it was made of has been removed: another one would run in its place."""

    @pytest.fixture
    def broken(self, place: Place) -> Path:
        environment = place.root / ".venv"
        (environment / "bin").mkdir(parents=True)
        (environment / "pyvenv.cfg").touch()
        (environment / "bin/python").symlink_to("/gone/python3.12")
        (environment / "bin/python3").symlink_to("python")
        (environment / "bin/uvicorn").write_text("#!/bin/sh\n")
        (environment / "bin/uvicorn").chmod(0o755)
        (place.root / "requirements.txt").write_text("uvicorn\n")
        return environment

    @pytest.mark.parametrize("command", ["uvicorn main:app", "python manage.py runserver", "python3 app.py"])
    def test_is_made_anew(self, place: Place, broken: Path, command: str) -> None:
        service = a_service(place.root, command)

        install = PROVIDER.lacking(service, place)

        assert install is not None
        assert install.missing == f"{broken} has no interpreter any more"
        assert install.command == (
            "python3 -m venv --clear .venv && .venv/bin/pip install -r requirements.txt"
        )

    def test_is_no_matter_for_what_runs_nothing_of_it(self, place: Place, broken: Path) -> None:
        assert broken.exists()
        assert PROVIDER.lacking(a_service(place.root, "sh serve.sh"), place) is None

    def test_that_has_one_under_another_name_is_whole(self, place: Place, broken: Path) -> None:
        (broken / "bin/python3").unlink()
        (broken / "bin/python3").symlink_to("/bin/sh")

        assert PROVIDER.lacking(a_service(place.root, "uvicorn main:app"), place) is None


class TestAMissingModule:
    """Of a command that runs an interpreter: `python -m alembic upgrade head`."""

    def prepare(self, place: Place, command: str, *before_start: str) -> None:
        service = replace(a_service(place.root, command), before_start=before_start)
        PROVIDER.prepare(service, replace(place, environment=dict(os.environ)), print)

    @pytest.fixture(autouse=True)
    def declared(self, place: Place) -> None:
        (place.root / "requirements.txt").touch()

    @pytest.mark.parametrize("commands", [("{}",), ("sleep 1", "{}")])
    def test_is_named_with_the_command_that_installs_it(
        self, place: Place, commands: tuple[str, ...]
    ) -> None:
        module = "python3 -m no_such_module_of_ours upgrade head"

        with pytest.raises(ServiceError, match="the module no_such_module_of_ours was not found") as error:
            self.prepare(place, *(command.format(module) for command in commands))

        assert "pip install -r requirements.txt" in str(error.value.hint)

    def test_is_no_matter_when_it_lies_in_the_folder(self, place: Place) -> None:
        (place.root / "no_such_module_of_ours.py").touch()

        self.prepare(place, "python3 -m no_such_module_of_ours")

    def test_is_no_matter_where_pythonpath_may_lead_to_it(self, place: Place) -> None:
        service = replace(
            a_service(place.root, "python3 -m no_such_module_of_ours"), env={"PYTHONPATH": "src"}
        )
        PROVIDER.prepare(service, replace(place, environment=dict(os.environ)), print)

        (place.root / ".env").write_text("PYTHONPATH=src\n")
        self.prepare(place, "python3 -m no_such_module_of_ours")

    @pytest.mark.parametrize("name", [".venv", "env", "hc-venv"])
    def test_is_no_matter_in_a_virtual_environment(self, place: Place, name: str) -> None:
        (place.root / name / "bin").mkdir(parents=True)
        (place.root / name / "pyvenv.cfg").touch()

        self.prepare(place, "python3 -m no_such_module_of_ours")

    def test_is_no_matter_where_nothing_can_be_installed(self, place: Place) -> None:
        (place.root / "requirements.txt").unlink()
        (place.root / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")

        self.prepare(place, "python3 -m no_such_module_of_ours")

    def test_is_that_of_django_for_its_manage(self, place: Place) -> None:
        (place.root / "manage.py").write_text("import django\n")
        lacks = pytest.raises(ServiceError, match="the module django was not found")

        with nullcontext() if find_spec("django") else lacks:
            self.prepare(place, "python3 manage.py runserver")


class TestPackagesThatAreDeclared:
    """The program is there, for all projects of the machine: the packages of this one are not."""

    @pytest.fixture
    def shop(self, tmp_path: Path) -> Path:
        """A project whose program was installed elsewhere."""
        programs = tmp_path / "programs"
        programs.mkdir()
        for name, text in (("python3", f'exec "{sys.executable}" "$@"'), ("flask", "")):
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        (tmp_path / "shop").mkdir()
        return tmp_path / "shop"

    def asked(self, shop: Path, command: str = "flask run", **variables: str) -> Install | None:
        environment = {"PATH": str(shop.parent / "programs"), **variables}
        place = Place(project="shop", root=shop, data=shop / ".devinit", environment=environment)
        service = a_service(shop, command)
        PROVIDER.prepare(service, place, lambda _text: None)  # it is not refused
        return PROVIDER.install(service, place)

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("requirements.txt", "msgspec\nno-such-package[all]>=2,<3  # for the shop\n"),
            (
                "pyproject.toml",
                '[project]\nname = "shop"\ndependencies = ["msgspec", "no-such-package ~= 2.0"]\n',
            ),
        ],
    )
    def test_are_installed_where_that_is_asked_for(self, shop: Path, file: str, text: str) -> None:
        (shop / file).write_text(text)

        install = self.asked(shop)

        assert install is not None
        assert "the package no-such-package was not found" in install.missing
        assert install.command.startswith("python3 -m venv .venv && .venv/bin/pip install")

    @pytest.mark.parametrize(
        ("text", "command", "variables"),
        [
            ("msgspec\n", "flask run", {}),
            ("no-such-package; sys_platform == 'win32'\n", "flask run", {}),
            ("-r other.txt\n--no-binary :all:\nno-such @ file:///nowhere\n./local\n", "flask run", {}),
            ("no-such-package\n", "./serve", {}),
            ("no-such-package\n", "flask run", {"PYTHONPATH": "/elsewhere"}),
        ],
    )
    def test_are_none_where_nothing_says_that_they_are_needed(
        self, shop: Path, text: str, command: str, variables: dict[str, str]
    ) -> None:
        (shop / "requirements.txt").write_text(text)

        assert self.asked(shop, command, **variables) is None

    def test_are_none_beside_an_environment(self, shop: Path) -> None:
        (shop / "requirements.txt").write_text("no-such-package\n")
        (shop / ".venv/bin").mkdir(parents=True)

        assert self.asked(shop) is None


class TestAMissingVirtualEnvironment:
    def process(self, place: Place, command: str, *, setup: tuple[str, ...] = ()) -> None:
        service = a_service(place.root, command, setup=setup)
        PROVIDER.process(service, PROVIDER.endpoint(service, 1), place, {"PATH": "/bin"})

    @pytest.mark.parametrize(
        ("file", "command"),
        [
            ("uv.lock", "uv sync"),
            ("poetry.lock", "poetry install"),
            ("pdm.lock", "pdm install"),
            ("Pipfile", "pipenv install --dev"),
            ("requirements.txt", "pip install -r"),
        ],
    )
    def test_is_named_with_the_command_that_makes_it(self, place: Place, file: str, command: str) -> None:
        (place.root / file).touch()

        with pytest.raises(ServiceError, match=r"uvicorn was not found, and .* has no virtual env") as error:
            self.process(place, "uvicorn app:app")

        assert command in str(error.value.hint)

    def test_of_a_member_of_a_workspace_is_made_at_its_root(self, place: Place) -> None:
        (place.root / "uv.lock").touch()
        (place.root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["services/*"]\n')
        member = place.root / "services/api"
        member.mkdir(parents=True)
        (member / "pyproject.toml").write_text("[project]\n")
        service = replace(a_service(place.root, "uvicorn app:app"), directory=member)
        there = with_program(place, "uv")

        with pytest.raises(ServiceError) as error:
            PROVIDER.process(service, PROVIDER.endpoint(service, 1), there, {"PATH": "/bin"})

        assert f"`uv sync --all-packages` in {place.root}" in str(error.value.hint)

    def test_is_no_matter_when_the_program_is_found(self, place: Place) -> None:
        (place.root / "uv.lock").touch()

        self.process(place, "sh -c true")

    def test_is_not_guessed_at_without_a_python_project(self, place: Place) -> None:
        self.process(place, "uvicorn app:app")


class TestAnIncompleteEnvironment:
    """One that was made before the project declared what its command runs, or whose installation failed."""

    @pytest.fixture
    def packages(self, place: Place) -> Path:
        folder = place.root / ".venv/lib/python3.11/site-packages"
        folder.mkdir(parents=True)
        for name in ("python", "pip"):
            (place.root / ".venv/bin").mkdir(exist_ok=True)
            (place.root / ".venv/bin" / name).touch(mode=0o755)
        (place.root / "requirements.txt").write_text("fastapi\nuvicorn[standard]>=0.30\n")
        return folder

    @pytest.mark.parametrize(
        ("command", "missing"),
        [
            ("uvicorn main:app", "uvicorn"),
            ("python -m uvicorn main:app", "the module uvicorn"),
            ("python3 -m uvicorn main:app", "the module uvicorn"),
        ],
    )
    def test_is_named_with_the_command_that_completes_it(
        self, packages: Path, place: Place, command: str, missing: str
    ) -> None:
        with pytest.raises(ServiceError) as error:
            PROVIDER.prepare(a_service(place.root, command), place, print)

        assert error.value.message == f"{missing} is not installed in {place.root}/.venv"
        assert f"run `.venv/bin/python -m pip install -r requirements.txt` in {place.root}," in str(
            error.value.hint
        )

    @pytest.mark.parametrize("own", ["shop.py", "shop/__init__.py", "shop/__main__.py"])
    def test_lacks_no_module_of_the_project_itself(self, packages: Path, place: Place, own: str) -> None:
        (place.root / "pyproject.toml").write_text('[project]\nname = "shop"\ndependencies = []\n')
        (place.root / own).parent.mkdir(exist_ok=True)
        (place.root / own).touch()

        PROVIDER.prepare(a_service(place.root, "python -m shop"), place, print)

    @pytest.mark.parametrize(
        "there", ["uvicorn/", "uvicorn.py", "uvicorn.cpython-311.so", "__editable__x.pth"]
    )
    def test_is_no_matter_where_the_module_may_be(self, packages: Path, place: Place, there: str) -> None:
        (packages / there).mkdir() if there.endswith("/") else (packages / there).touch()

        PROVIDER.prepare(a_service(place.root, "python -m uvicorn main:app"), place, print)

    @pytest.mark.parametrize(
        "command", ["caddy run", "python -m http.server", "python -m own_package", "python x.py"]
    )
    def test_is_no_matter_for_what_the_project_does_not_declare(
        self, packages: Path, place: Place, command: str
    ) -> None:
        PROVIDER.prepare(a_service(place.root, command), place, print)

    def test_that_uv_has_made_is_completed_by_uv(self, packages: Path, place: Place) -> None:
        (place.root / ".venv/bin/pip").unlink()

        with pytest.raises(ServiceError) as error:
            PROVIDER.prepare(a_service(place.root, "uvicorn main:app"), place, print)

        assert "run `uv pip install --python .venv/bin/python -r requirements.txt`" in str(error.value.hint)
