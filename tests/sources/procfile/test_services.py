"""Specifies which services a Procfile is, what is left out of it, and what of that is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.config.detected import detect
from devinit.config.initial import initial_toml
from devinit.config.load import load
from devinit.config.shown import root_shown_by
from devinit.model.service import Project, Service

WORDS = st.lists(
    st.sampled_from(
        [
            "cd", "a", "&&", ";", "|", "uvicorn", "--port", "-p", "8000", "$PORT", "${PORT:-1}", "PORT=99999", "npm",
            "run", "dev", "--prefix", "..", "'", '"', "\\", "env", "-m", "python", "manage.py", "runserver",
            "0.0.0.0:1", "uv", "--", "redis-server", "99999", "vite", "x" * 300,
        ]
    ),
    max_size=8,
).map(" ".join)  # fmt: skip
"""Commands of words that mean something, in an order that may not."""
Write = Callable[..., Path]
Processes = Callable[..., Project]
API = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.fixture
def listing(root: Path, write: Write) -> Processes:
    """Return what is detected from the lines of a Procfile.dev."""

    def detecting(*lines: str, name: str = "Procfile.dev") -> Project:
        write(name, "".join(f"{line}\n" for line in lines))
        return detect(root)

    return detecting


def port_of(service: Service) -> int | None:
    return service.port.preferred if service.port else None


def ports(project: Project) -> dict[str, int | None]:
    return {name: port_of(service) for name, service in project.services.items()}


class TestAProcfileForDevelopment:
    def test_is_a_project(self, root: Path, listing: Processes) -> None:
        listing("web: bin/rails server")

        assert root_shown_by(str(root)) == str(root)

    def test_is_a_service_for_each_line(self, root: Path, listing: Processes) -> None:
        project = listing(
            "web: bin/rails server", "css: yarn build:css --watch", "worker: bundle exec sidekiq"
        )

        assert {name: each.command for name, each in project.services.items()} == {
            "web": "bin/rails server",
            "css": "yarn build:css --watch",
            "worker": "bundle exec sidekiq",
        }
        assert {each.directory for each in project.services.values()} == {root}
        assert project.notes == ()

    def test_names_the_line_of_each_service(self, listing: Processes) -> None:
        evidence = listing("# all of it", "web: bin/rails server -p 3001").evidence["web"]

        assert [(each.about, each.place, each.says) for each in evidence] == [
            ("command", "Procfile.dev, line 2", "web: bin/rails server -p 3001"),
            ("port", "Procfile.dev, line 2", "web: bin/rails server -p 3001"),
        ]

    def test_counts_alone_where_there_is_one_for_deployment_as_well(
        self, write: Write, listing: Processes
    ) -> None:
        write("Procfile", "web: gunicorn app\nclock: python clock.py\n")

        assert list(listing("web: bin/rails server").services) == ["web"]

    def test_reads_back_from_the_file_that_init_writes(
        self, root: Path, write: Write, listing: Processes
    ) -> None:
        write("backend/main.py", API)
        project = listing("api: cd backend && uvicorn main:app --port 8010", "Worker: python worker.py")

        text = initial_toml(project)
        write("devinit.toml", text)

        assert load(root).services == project.services
        assert "# from Procfile.dev, line 1; backend/main.py, line 2\n[services.api]" in text


class TestAPort:
    def test_is_the_one_of_the_line_before_any_other(self, write: Write, listing: Processes) -> None:
        write(".env", "PORT=4000\n")

        assert ports(listing("web: bin/rails server -p 3001")) == {"web": 3001}

    def test_is_numbered_from_that_of_env_on_as_foreman_does(self, write: Write, listing: Processes) -> None:
        write(".env", "# settings\nPORT=4000\n")

        project = listing("web: bin/rails server", "job: run", "api: ruby api.rb -p $PORT")

        assert ports(project) == {"web": 4000, "job": None, "api": 4200}
        assert project.evidence["api"][-1].place == ".env, line 2"

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("bin/dev", '#!/bin/sh\nexport PORT="${PORT:-4000}"\nexec foreman start -f Procfile.dev\n'),
            ("bin/dev", "PORT=4000 foreman start\n"),
            (".foreman", "procfile: Procfile.dev\nport: 4000\n"),
            (".overmind.env", "OVERMIND_PORT=4000\n"),
        ],
    )
    def test_is_the_one_that_starts_the_numbering_elsewhere(
        self, write: Write, listing: Processes, file: str, text: str
    ) -> None:
        write(file, text)

        assert ports(listing("web: bin/rails server")) == {"web": 4000}

    def test_is_the_usual_one_of_its_program_where_no_file_says_so(self, listing: Processes) -> None:
        assert ports(listing("api: uvicorn main:app", "web: bin/rails s", "ui: npx vite")) == {
            "api": 8000,
            "web": 3000,
            "ui": 5173,
        }

    def test_is_foremans_for_a_program_that_is_not_known(self, listing: Processes) -> None:
        assert ports(listing("job: run", "web: ./server", "feed: ./feed --listen $PORT")) == {
            "job": None,
            "web": 5100,
            "feed": 5200,
        }

    def test_is_that_of_the_application_where_its_folder_knows_better(
        self, write: Write, listing: Processes
    ) -> None:
        write("backend/main.py", API)

        assert ports(listing("job: run", "web: cd backend && ./serve $PORT")) == {"web": 8000, "job": None}

    def test_is_none_for_a_process_that_may_serve_and_that_is_said(self, listing: Processes) -> None:
        project = listing("admin: go run ./cmd/admin")

        assert ports(project) == {"admin": None}
        assert project.notes == (
            (
                "Procfile.dev, line 1: admin gets no port, because nothing shows whether it answers requests; "
                "`port` of [services.admin] in devinit.toml gives it one"
            ),
        )

    def test_of_a_worker_in_the_folder_of_an_option_is_none(self, root: Path, listing: Processes) -> None:
        (root / "jobs").mkdir()

        service = listing("worker: PORT=3000 npm --prefix jobs start").services["worker"]

        assert (service.command, service.directory) == ("PORT=3000 npm start", root / "jobs")

    def test_is_given_by_the_variable_that_the_line_reads(
        self, root: Path, write: Write, listing: Processes
    ) -> None:
        project = listing("web: bin/rails s -p ${LANE:-3100}", "other: bin/rails s -p ${LANE:-3100}")

        web, other = project.services["web"], project.services["other"]
        assert (port_of(web), web.port_env) == (3100, ("LANE",))
        assert (other.command, other.port_env) == ("bin/rails s -p ${PORT}", ())
        write("devinit.toml", initial_toml(project))
        assert load(root).services["web"].port_env == ("LANE",)

    def test_that_a_worker_is_given_is_no_port_of_its_own(self, listing: Processes) -> None:
        project = listing("sidekiq: PORT=3000 bundle exec sidekiq", "stream: PORT=4000 node stream.js")

        assert ports(project) == {"sidekiq": None, "stream": 4000}
        assert project.services["sidekiq"].command == "PORT=3000 bundle exec sidekiq"

    @pytest.mark.parametrize(
        ("line", "port"),
        [
            ("web: npm run dev -- -p 3333", 3333),
            ("admin: pnpm dev --port 4000", 4000),
            ("py: python3 server.py --port 8090", 8090),
            ("php: php -S localhost:8080 -t public", 8080),
            ("site: jekyll serve -P 4001", 4001),
            ("docs: bundle exec jekyll serve", 4000),
        ],
    )
    def test_that_is_written_down_is_the_one_of_a_program_that_is_not_known(
        self, listing: Processes, line: str, port: int
    ) -> None:
        project = listing(line)

        assert list(ports(project).values()) == [port]
        assert project.notes == ()

    def test_before_a_pipe_is_fixed_and_that_is_said(self, listing: Processes) -> None:
        project = listing("web: puma -p 3000 | tee log")

        port = project.services["web"].port
        assert port is not None
        assert (port.preferred, port.strict, project.services["web"].command) == (
            3000,
            True,
            "puma -p 3000 | tee log",
        )
        assert project.notes == (
            (
                "Procfile.dev, line 1: web keeps port 3000, because devinit changes no command with a pipe or a "
                "subshell; `${PORT}` in its place lets the service move"
            ),
        )

    @pytest.mark.parametrize(
        "line",
        ["worker: ./run", "jobs: bin/jobs", "css: yarn watch", "queue: celery -A x worker", "x: arq w.S"],
    )
    def test_is_none_for_a_worker_and_nothing_is_said(self, listing: Processes, line: str) -> None:
        project = listing(line)

        assert set(ports(project).values()) == {None}
        assert project.notes == ()


class TestAScript:
    def script(self, write: Write, words: str, folder: str = "") -> None:
        text = json.dumps({"scripts": {"dev": words}}, indent=1)
        write(f"{folder}/package.json" if folder else "package.json", text)

    @pytest.mark.parametrize(
        ("line", "command"),
        [
            ("web: npm run dev", "npm run dev -- --host 127.0.0.1 --port ${PORT} --strictPort"),
            ("web: yarn dev", "yarn dev --host 127.0.0.1 --port ${PORT} --strictPort"),
            ("web: pnpm run dev", "pnpm run dev --host 127.0.0.1 --port ${PORT} --strictPort"),
            (
                "web: npm run dev -- --open",
                "npm run dev -- --open --host 127.0.0.1 --port ${PORT} --strictPort",
            ),
            ("web: yarn dev --host", "yarn dev --host --port ${PORT} --strictPort"),
        ],
    )
    def test_that_runs_vite_is_told_the_port(
        self, write: Write, listing: Processes, line: str, command: str
    ) -> None:
        self.script(write, "vite")

        project = listing(line)

        assert project.services["web"].command == command
        assert ports(project) == {"web": 5173}

    def test_that_runs_vite_is_a_server_whatever_its_process_is_called(
        self, write: Write, listing: Processes
    ) -> None:
        self.script(write, "vite")

        assert ports(listing("assets: npm run dev")) == {"assets": 5173}

    def test_prefers_the_port_that_it_names(self, write: Write, listing: Processes) -> None:
        self.script(write, "vite --port 5199")

        project = listing("web: npm run dev")

        assert ports(project) == {"web": 5199}
        assert project.evidence["web"][-1].place == "package.json, line 3"

    def test_that_names_a_port_of_a_server_that_takes_no_other_does_not_move(
        self, write: Write, listing: Processes
    ) -> None:
        self.script(write, "uvicorn main:app --port 8123")

        port = listing("web: npm run dev").services["web"].port

        assert port is not None
        assert (port.preferred, port.strict) == (8123, True)

    def test_of_a_server_that_only_an_option_moves_does_not_move(
        self, write: Write, listing: Processes
    ) -> None:
        self.script(write, "uvicorn main:app")

        port = listing("web: npm run dev").services["web"].port

        assert port is not None
        assert (port.preferred, port.strict, port.fixed_by) == (8000, True, "Procfile.dev, line 1")

    @pytest.mark.parametrize(
        "words", ["tsup --watch", "vite build --watch", "tsc -w", "node build.js && rollup -w"]
    )
    def test_that_only_builds_is_no_server(self, write: Write, listing: Processes, words: str) -> None:
        self.script(write, words)

        project = listing("shared: npm run dev")

        assert ports(project) == {"shared": None}
        assert (project.services["shared"].command, project.notes) == ("npm run dev", ())

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            ("docker compose up", "it starts containers"),
            ("kill-port 3000; vite", "it ends processes"),
            ("overmind start", "overmind starts processes itself"),
        ],
    )
    def test_that_starts_or_ends_something_else_is_left_out(
        self, write: Write, listing: Processes, words: str, reason: str
    ) -> None:
        self.script(write, words)

        project = listing("web: npm run dev")

        assert project.services == {}
        assert project.notes[0].startswith(f"Procfile.dev, line 1: web is left out: {reason}")
        assert project.notes[0].endswith("(`dev` in package.json)")

    @pytest.mark.parametrize(
        ("line", "scripts"),
        [
            ("npm run free -- x", {"free": "fuser -k 3000/tcp"}),
            ("npm run free && npm run dev", {"free": "fuser -k 3000/tcp", "dev": "vite"}),
            ("npm run dev -- --host", {"dev": "fuser -k 3000/tcp; node s.js"}),
            ("npm run dev", {"dev": "npm run free; node s.js", "free": "fuser -k 3000/tcp"}),
            ("npm run dev", {"dev": "vite", "predev": "fuser -k 3000/tcp"}),
            ("yarn dk -d", {"dk": "docker compose up"}),
            ("npx concurrently npm:css npm:free", {"css": "tailwindcss", "free": "fuser -k 3000/tcp"}),
            ("npm-run-all watch:*", {"watch:a": "vite", "watch:free": "pkill -f vite"}),
        ],
    )
    def test_that_does_so_by_another_script_is_left_out_too(
        self, write: Write, listing: Processes, line: str, scripts: dict[str, str]
    ) -> None:
        write("package.json", json.dumps({"scripts": scripts}))

        project = listing(f"web: {line}")

        assert "web" not in project.services
        assert project.notes[0].startswith("Procfile.dev, line 1: web is left out: it ")

    def test_beside_one_that_does_so_and_is_not_run_is_started(
        self, write: Write, listing: Processes
    ) -> None:
        write("package.json", json.dumps({"scripts": {"dev": "vite", "free": "fuser -k 3000/tcp"}}))

        assert list(listing("web: npm run dev").services) == ["web"]

    def test_of_nonsense_is_noted_within_bounds(self, listing: Processes) -> None:
        project = listing(*["x"] * 1000, "web: sleep 100")

        assert list(project.services) == ["web"]
        assert len(project.notes) < 60

    def test_of_vite_is_not_numbered_because_it_reads_no_port(self, write: Write, listing: Processes) -> None:
        self.script(write, "vite")
        write(".env", "PORT=4000\n")

        assert ports(listing("web: bin/rails s", "ui: npm run dev")) == {"web": 4000, "ui": 5173}

    def test_in_another_folder_is_read_there(self, root: Path, write: Write, listing: Processes) -> None:
        self.script(write, "next dev", "apps/web")

        service = listing("ui: cd apps/web && npm run dev").services["ui"]

        assert (service.directory, service.command) == (root / "apps/web", "npm run dev -- --port ${PORT}")

    @pytest.mark.parametrize(
        ("line", "command"),
        [
            ("ui: pnpm --filter web dev", "npm run dev -- --port ${PORT}"),
            ("ui: yarn workspace @acme/web dev", "npm run dev -- --port ${PORT}"),
            ("ui: A=b npm run dev -w web", "A=b npm run dev -- --port ${PORT}"),
            ("ui: npx turbo dev --filter=web", "npm run dev -- --port ${PORT}"),
            ("ui: npm run dev --workspace=apps/web -- -p 3007", "npm run dev -- -p ${PORT}"),
        ],
    )
    def test_of_a_package_of_the_workspace_runs_in_its_folder(
        self, root: Path, write: Write, listing: Processes, line: str, command: str
    ) -> None:
        write("package.json", json.dumps({"workspaces": ["apps/*"]}))
        write("apps/web/package.json", json.dumps({"name": "@acme/web", "scripts": {"dev": "next dev"}}))
        write("apps/api/package.json", json.dumps({"name": "@acme/api", "scripts": {"dev": "nest start"}}))

        service = listing(line).services["ui"]

        assert (service.directory, service.command) == (root / "apps/web", command)

    @pytest.mark.parametrize(
        "command",
        ["pnpm --filter '*' dev", "pnpm --filter none dev", "x && pnpm --filter web dev", "turbo dev"],
    )
    def test_of_several_packages_or_none_stays_as_it_is(
        self, root: Path, write: Write, listing: Processes, command: str
    ) -> None:
        write("package.json", json.dumps({"workspaces": ["apps/*"]}))
        for name in ("web", "api"):
            write(f"apps/{name}/package.json", json.dumps({"name": name, "scripts": {"dev": "vite"}}))

        service = listing(f"ui: {command}").services["ui"]

        assert (service.directory, service.command) == (root, command)

    def test_that_starts_several_programs_is_noted(self, write: Write, listing: Processes) -> None:
        self.script(write, "concurrently 'vite' 'tsc -w'")

        assert (
            "starts several programs (concurrently 'vite' 'tsc -w')" in listing("web: npm run dev").notes[0]
        )

    def test_that_package_json_does_not_have_is_left_as_it_is(self, write: Write, listing: Processes) -> None:
        self.script(write, "vite")

        assert listing("web: npm run serve").services["web"].command == "npm run serve"


class TestAnApplicationThatIsRecognisedAsWell:
    def test_is_started_once(self, write: Write, listing: Processes) -> None:
        write("backend/main.py", f'{API}@app.get("/health")\n')
        write("backend/alembic.ini")
        write("backend/alembic/versions/1_first.py")
        write("frontend/package.json", '{"scripts": {"dev": "vite"}}')

        project = listing("web: cd backend && uvicorn main:app --reload", "ui: cd frontend && npm run dev")

        web = project.services["web"]
        assert list(project.services) == ["web", "ui"]
        assert (web.ready.http, web.before_start, web.docs_path) == (
            "/health",
            ("python -m alembic upgrade head",),
            "/docs",
        )
        assert project.services["ui"].depends_on == ("web",)

    def test_is_not_started_beside_a_server_at_the_root(self, write: Write, listing: Processes) -> None:
        write("backend/main.py", API)

        project = listing("web: bin/rails server")

        assert list(project.services) == ["web"]
        assert any(
            note.startswith(
                "backend/main.py, line 2 (backend): not started, because Procfile.dev does not name it"
            )
            for note in project.notes
        )

    def test_has_its_databases_and_every_process_waits_for_them(
        self, write: Write, listing: Processes
    ) -> None:
        write("requirements.txt", "psycopg\n")

        project = listing(
            "web: python manage.py runserver", "worker: python w.py", "css: yarn css", "ui: npx vite"
        )

        assert {name: each.depends_on for name, each in project.services.items()} == {
            "postgres": (),
            "web": ("postgres",),
            "worker": ("postgres",),
            "css": (),
            "ui": (),
        }


class TestAProcfileForDeployment:
    def test_adds_workers_to_the_applications_and_starts_no_second_server(
        self, write: Write, listing: Processes
    ) -> None:
        write("backend/main.py", API)
        write("backend/.venv/bin/python")

        project = listing(
            "web: gunicorn backend.main:app", "worker: celery -A backend worker", name="Procfile"
        )

        assert list(project.services) == ["backend", "worker"]
        assert (project.services["backend"].command or "").startswith("uvicorn main:app")
        assert project.notes == (
            (
                "Procfile, line 1 (web): not started beside backend, because it describes production; a "
                "[services.web] in devinit.toml starts it"
            ),
        )

    def test_is_all_there_is_where_no_application_is_recognised(self, listing: Processes) -> None:
        project = listing("web: gunicorn shop.wsgi", "worker: python worker.py", name="Procfile")

        assert ports(project) == {"web": 8000, "worker": None}

    def test_leaves_out_what_was_built_for_production(self, listing: Processes) -> None:
        project = listing("web: NODE_ENV=production node dist/index.js", name="Procfile")

        assert project.services == {}
        assert project.notes == ("Procfile, line 1: web is left out: it runs what was built for production",)

    @pytest.mark.parametrize(
        ("line", "scripts"),
        [
            ("web: next start -p $PORT", {}),
            ("web: node dist/server.js", {}),
            ("web: npx serve -s build", {}),
            ("web: npm start", {"start": "next start"}),
            ("web: yarn start", {"start": "NODE_ENV=production node server.js"}),
            ("web: npm run start:prod", {"start:prod": "node ./dist/main"}),
        ],
    )
    def test_leaves_out_what_runs_a_build(
        self, write: Write, listing: Processes, line: str, scripts: dict[str, str]
    ) -> None:
        write("package.json", json.dumps({"scripts": scripts}))

        project = listing(line, "worker: node worker.js", name="Procfile")

        assert list(project.services) == ["worker"]
        assert project.notes[0].startswith("Procfile, line 1: web is left out: it runs what was built for")

    @pytest.mark.parametrize(
        ("line", "scripts"),
        [("web: node server.js", {}), ("web: npm start", {"start": "node server.js"}), ("web: next dev", {})],
    )
    def test_starts_what_runs_from_its_source(
        self, write: Write, listing: Processes, line: str, scripts: dict[str, str]
    ) -> None:
        write("package.json", json.dumps({"scripts": scripts}))

        assert list(listing(line, name="Procfile").services) == ["web"]

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("package.json", json.dumps({"scripts": {"dev": "honcho start"}})),
            ("bin/dev", "#!/bin/sh\nexec foreman start -f Procfile\n"),
            ("Makefile", "VENV := .venv\n\ndev: install\n\t@$(VENV)/bin/honcho start\n"),
            ("justfile", "dev *args:\n    uv run honcho start {{args}}\n"),
        ],
    )
    def test_is_for_development_where_the_project_starts_it(
        self, write: Write, listing: Processes, file: str, text: str
    ) -> None:
        write(file, text)
        write("backend/main.py", API)

        project = listing("web: next start", "worker: python worker.py", name="Procfile")

        assert list(project.services) == ["web", "worker"]

    def test_has_the_name_that_the_project_starts(self, write: Write, listing: Processes) -> None:
        write("package.json", json.dumps({"scripts": {"dev": "overmind start -f Procfile.local"}}))
        write("Procfile", "web: gunicorn shop\n")

        assert list(listing("ui: npx vite", name="Procfile.local").services) == ["ui"]


class TestAProcfileInAFolder:
    def test_is_the_projects_where_there_is_one(self, root: Path, write: Write) -> None:
        write("backend/Procfile.dev", "web: uvicorn app:app\nworker: cd jobs && python worker.py\n")
        (root / "backend/jobs").mkdir()

        project = detect(root)

        assert {name: each.directory for name, each in project.services.items()} == {
            "web": root / "backend",
            "worker": root / "backend/jobs",
        }
        assert project.evidence["worker"][0].place == "backend/Procfile.dev, line 2"

    def test_is_a_project(self, root: Path, write: Write) -> None:
        write("backend/Procfile", "web: gunicorn app\n")

        assert root_shown_by(str(root)) == str(root)

    def test_is_named_beside_the_projects_own(self, write: Write, listing: Processes) -> None:
        write("tools/Procfile", "bot: ./bot\n")

        project = listing("web: bin/rails server")

        assert list(project.services) == ["web"]
        assert project.notes[0].startswith("tools/Procfile lists processes, too, and is not read")

    def test_is_named_beside_another_one(self, root: Path, write: Write) -> None:
        write("a/Procfile", "web: ./a\n")
        write("b/Procfile.dev", "web: ./b\n")

        project = detect(root)

        assert project.services == {}
        assert [note.split()[0] for note in project.notes] == ["a/Procfile", "b/Procfile.dev"]

    def test_beyond_a_link_out_of_the_repository_is_not_read(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "Procfile").write_text("web: run\n")
        (root / "linked").symlink_to(tmp_path / "other")

        assert detect(root).services == {}


class TestALineThatIsNotStarted:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("release: rake db:migrate", "release is not started: it is a step of a deployment"),
            ("web: fuser -k 3000/tcp; npm start", "web is left out: it ends processes by their name or port"),
            ("web: npx kill-port 3000 && npm start", "web is left out: it ends processes"),
            ("web: lsof -ti:3000 | xargs kill -9; npm start", "web is left out: it ends processes"),
            ("db: docker compose up db", "db is left out: it starts containers"),
            ("all: cd backend && docker-compose up | cat", "all is left out: it starts containers"),
            ("web: foreman start -f Procfile.web", "web is left out: foreman starts processes itself"),
            ("web: devinit start", "web is left out: devinit starts processes itself"),
            ("console: bin/rails console", "console is left out: a person works in it"),
            ("sh: bash -l", "sh is left out: a person works in it"),
            ("api: cd missing && make run", "api is left out: missing is no folder of the repository"),
        ],
    )
    def test_is_named_with_the_reason(self, listing: Processes, line: str, reason: str) -> None:
        project = listing("job: ./worker", line)

        assert list(project.services) == ["job"]
        assert any(note.startswith(f"Procfile.dev, line 2: {reason}") for note in project.notes), (
            project.notes
        )

    @pytest.mark.parametrize(
        "line", ["web: ./kill-bill-server", "web: sh -c 'exec ./x'", "web: bash bin/serve"]
    )
    def test_is_none_that_only_looks_like_one(self, listing: Processes, line: str) -> None:
        assert list(listing(line).services) == ["web"]


class TestADatabase:
    def test_that_a_line_starts_is_run_by_devinit(self, listing: Processes) -> None:
        project = listing("cache: redis-server --port 6380", "web: ./serve")

        redis = project.services["redis"]
        assert (redis.provider, port_of(redis)) == ("redis", 6380)
        assert project.services["web"].depends_on == ("redis",)
        assert project.notes == (
            "Procfile.dev, line 1: cache is run as redis by devinit itself, with data of this checkout",
        )

    @pytest.mark.parametrize("port", ["0", "99999"])
    def test_on_a_port_that_there_is_not_has_its_usual_one(self, listing: Processes, port: str) -> None:
        assert ports(listing(f"redis: redis-server --port {port}")) == {"redis": 6379}

    def test_that_others_show_as_well_is_one(self, write: Write, listing: Processes) -> None:
        write("requirements.txt", "redis\n")

        assert list(listing("redis: redis-server").services) == ["redis"]


class TestANameThatADatabaseHas:
    def test_is_not_taken_from_it(self, listing: Processes) -> None:
        project = listing("cache: redis-server", "redis: ./something-else")

        assert project.services["redis"].provider == "redis"
        assert project.notes[1] == (
            "Procfile.dev, line 2: redis is left out: a database has its name, which a line above starts"
        )


class TestAHostileFile:
    @pytest.mark.parametrize("script", ["vite 'a", "x && 'a", "\\", "PORT=1 '"])
    def test_with_a_script_that_cannot_be_parsed_stops_nothing(
        self, write: Write, listing: Processes, script: str
    ) -> None:
        write("package.json", json.dumps({"scripts": {"dev": script}}))

        assert list(listing("web: npm run dev").services) == ["web"]

    def test_with_a_folder_that_no_system_can_have_is_named(self, listing: Processes) -> None:
        assert "is no folder of the repository" in listing(f"web: cd {'x' * 300} && run").notes[0]

    def test_that_is_a_link_out_of_the_repository_is_not_read_and_is_named(
        self, root: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "other").write_text("web: run\n")
        (root / "Procfile.dev").symlink_to(tmp_path / "other")

        project = detect(root)

        assert project.services == {}
        assert project.notes[0].startswith(f"Procfile.dev is a link to {tmp_path / 'other'}")

    @pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "no regular file"), (os.mkdir, "a folder")])
    def test_that_is_no_file_stops_nothing(self, root: Path, make: Callable[[Path], None], kind: str) -> None:
        make(root / "Procfile.dev")

        project = detect(root)

        assert (project.services, project.notes) == ({}, (f"Procfile.dev is {kind}, and is not read",))

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
    def test_that_is_no_file_hides_no_other_one(
        self, root: Path, listing: Processes, make: Callable[[Path], None]
    ) -> None:
        make(root / "Procfile.dev")

        project = listing("web: gunicorn shop.wsgi", name="Procfile")

        assert list(project.services) == ["web"]
        assert project.notes[0].startswith("Procfile.dev is ")

    def test_that_is_too_large_or_no_text_is_named(self, root: Path, write: Write) -> None:
        write("Procfile.dev", "web: run\n" * 100_000)
        assert detect(root).notes == ("Procfile.dev cannot be read: it has more than 500,000 bytes",)

        (root / "Procfile.dev").write_bytes("web: run\n".encode("utf-16-le"))
        assert detect(root).notes[0].startswith("Procfile.dev cannot be read: UTF-16")

    def test_with_a_folder_that_is_a_link_out_of_the_repository_starts_nothing_there(
        self, root: Path, tmp_path: Path, listing: Processes
    ) -> None:
        (tmp_path / "other").mkdir()
        (root / "backend").symlink_to(tmp_path / "other")

        project = listing("api: cd backend && uvicorn main:app")

        assert project.services == {}
        assert (
            "Procfile.dev, line 1: api is left out: backend is no folder of the repository" in project.notes
        )

    @settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        lines=st.lists(
            st.one_of(
                st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60),
                st.builds(
                    "{}: {}".format,
                    st.sampled_from(["web", "Web", "all", "a_b", "a-b", "release", "9", "-"]),
                    WORDS,
                ),
            ),
            max_size=8,
        ),
        script=st.one_of(WORDS, st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)),
    )
    def test_never_raises_and_reads_back(self, root: Path, lines: list[str], script: str) -> None:
        (root / "a").mkdir(exist_ok=True)
        (root / "package.json").write_text(json.dumps({"scripts": {"dev": script}}))
        (root / "Procfile.dev").write_bytes("\n".join(lines).encode())
        (root / "devinit.toml").unlink(missing_ok=True)
        project = detect(root)
        if not project.services:
            return

        (root / "devinit.toml").write_bytes(initial_toml(project).encode())

        assert {name: each.command for name, each in load(root).services.items()} == {
            name: each.command for name, each in project.services.items()
        }
