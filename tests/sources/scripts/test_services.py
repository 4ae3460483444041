"""Specifies which services a script of package.json is that starts several programs, and what they wait for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.config.detected import detect
from devinit.config.initial import initial_toml
from devinit.config.load import load
from devinit.config.shown import root_shown_by
from devinit.model.service import Condition, Project, Service
from devinit.sources import scripts
from devinit.sources.merging import merged
from devinit.system.bounds import bounds_of

Write = Callable[..., Path]
Tree = Callable[..., Project]
API = "from fastapi import FastAPI\napp = FastAPI()\n"
VITE = "--host 127.0.0.1 --port ${PORT} --strictPort"


@pytest.fixture
def tree(root: Path, write: Write) -> Tree:
    """Return what the source finds in files; package.json is given as its scripts."""

    def found(given: dict[str, str], more: dict[str, object] | None = None, **files: object) -> Project:
        write("package.json", json.dumps({"private": True, "scripts": given, **(more or {})}, indent=1))
        for name, content in files.items():
            write(name, content if isinstance(content, str) else json.dumps(content, indent=1))
        return alone(root)

    return found


def alone(root: Path) -> Project:
    """Return the project that a folder shows when its scripts alone are looked at."""
    found = merged([scripts.read(bounds_of(root))])
    return Project(
        name="shop", root=root, services=found.services, evidence=found.evidence, notes=found.notes
    )


def package(name: str, dev: str = "", **more: object) -> dict[str, object]:
    return {"name": name, "scripts": {"dev": dev} if dev else {}, **more}


def port_of(service: Service) -> int | None:
    return service.port.preferred if service.port else None


def shown(project: Project) -> dict[str, tuple[str, str | None, int | None]]:
    """Return folder, command and port of each service."""
    return {
        name: (str(each.directory.relative_to(project.root)), each.command, port_of(each))
        for name, each in project.services.items()
    }


class TestConcurrently:
    """Shape d of the repositories: everything that runs is in one script of the root."""

    def test_is_a_service_for_each_of_its_commands(self, root: Path, write: Write, tree: Tree) -> None:
        (root / "python").mkdir()

        project = tree(
            {
                "dev": 'concurrently -k -n web,api,worker "pnpm dev:web" "cd python && uv run uvicorn app:app '
                '--reload --port 8010" "cd python && uv run arq worker.Settings"',
                "dev:web": "vite",
            },
            {"packageManager": "pnpm@9.1.0"},
        )

        assert shown(project) == {
            "web": (".", f"pnpm run dev:web {VITE}", 5173),
            "api": ("python", "uv run uvicorn app:app --reload --port ${PORT}", 8010),
            "worker": ("python", "uv run arq worker.Settings", None),
        }
        assert project.notes == ()

    def test_names_the_lines_that_led_to_each_service(self, tree: Tree) -> None:
        project = tree({"dev": "concurrently npm:web npm:api", "web": "vite", "api": "PORT=4000 node api.js"})

        assert [(each.about, each.place, each.says) for each in project.evidence["web"]] == [
            ("command", "package.json, line 5", '"web": "vite",'),
            ("command", "package.json, line 4", '"dev": "concurrently npm:web npm:api",'),
        ]
        assert ("port", "package.json, line 6") in {
            (each.about, each.place) for each in project.evidence["api"]
        }

    @pytest.mark.parametrize(
        "script",
        [
            "concurrently npm:dev:*",
            "concurrently 'npm run dev:*'",
            "run-p dev:*",
            "npm-run-all --parallel dev:web dev:api",
            "npm run dev:web & npm run dev:api",
            "npm run all",
            "cross-env A=b concurrently 'npm run dev:web' 'npm run dev:api'",
        ],
    )
    def test_may_be_written_in_many_ways(self, tree: Tree, script: str) -> None:
        project = tree(
            {
                "dev": script,
                "dev:web": "vite",
                "dev:api": "nodemon server.js --port 4000",
                "all": "run-p dev:web dev:api",
            }
        )

        assert shown(project) == {
            "web": (".", f"npm run dev:web -- {VITE}", 5173),
            "api": (".", "nodemon server.js --port ${PORT}", 4000),
        }

    def test_gives_what_stands_before_it_to_every_program(self, root: Path, write: Write, tree: Tree) -> None:
        write(".env.dev", "A=1\n")

        project = tree(
            {
                "dev": "dotenv -e .env.dev -- cross-env DEBUG=shop:* PORT=1 concurrently 'vite' 'node api.js --port 4000'"
            }
        )

        assert {each.env.get("DEBUG") for each in project.services.values()} == {"shop:*"}
        assert {each.env_file for each in project.services.values()} == {(root / ".env.dev",)}
        assert [*map(port_of, project.services.values())] == [5173, 4000]

    def test_names_a_program_by_its_folder_or_by_what_it_is(self, root: Path, tree: Tree) -> None:
        for folder in ("client", "services/billing"):
            (root / folder).mkdir(parents=True)

        project = tree(
            {
                "dev": "concurrently 'cd client && vite' 'cd services/billing && node b.js --port 1' 'uvicorn a:b' "
                "'npm start --prefix client'"
            }
        )

        assert list(project.services) == ["client", "billing", "backend", "client-2"]

    def test_is_not_started_itself_and_neither_is_what_it_starts_twice(
        self, root: Path, write: Write, tree: Tree
    ) -> None:
        write("backend/main.py", API)
        write("frontend/package.json", json.dumps(package("ui", "vite")))
        tree({"dev": "concurrently 'cd backend && uvicorn main:app' 'npm run dev --prefix frontend'"})

        project = detect(root)

        assert {name: each.command for name, each in project.services.items()} == {
            "backend": "uvicorn main:app --port ${PORT}",
            "frontend": f"npm run dev -- {VITE}",
        }
        assert project.services["backend"].docs_path == "/docs"

    def test_leaves_an_application_out_that_it_does_not_name(
        self, root: Path, write: Write, tree: Tree
    ) -> None:
        write("backend/main.py", API)
        tree({"dev": "concurrently vite 'node api.js --port 4000'"})

        project = detect(root)

        assert list(project.services) == ["frontend", "api"]
        assert any("not started, because package.json does not name it" in note for note in project.notes)

    def test_starts_no_containers_and_ends_nothing(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "kill-port 3000 && concurrently 'docker compose up' vite npm:api",
                "api": "fuser -k 4000/tcp; node api.js",
            }
        )

        assert list(project.services) == ["frontend"]
        assert [note.partition(": ")[2].partition(" (")[0] for note in project.notes] == [
            (
                "`kill-port 3000` before the others is left out: it ends processes by their name or port, and they "
                "may be another project's"
            ),
            "docker is left out: it starts containers",
            "api is left out: it ends processes by their name or port, and they may be another project's",
        ]

    def test_of_a_server_that_is_not_for_node_tells_it_its_port(self, root: Path, tree: Tree) -> None:
        scripts_of_both = {
            "dev": "concurrently npm:next-dev npm:api-dev",
            "next-dev": "next dev",
            "api-dev": "pip3 install -r requirements.txt && python3 -m uvicorn api.index:app --reload",
        }

        project = tree(scripts_of_both, **{"api/index.py": API, "requirements.txt": "fastapi\n"})

        assert shown(project) == {
            "next": (".", "npm run next-dev -- --port ${PORT}", 3000),
            "api": (".", "python3 -m uvicorn api.index:app --reload --port ${PORT}", 8000),
        }
        assert project.notes == (
            "package.json, line 6: `pip3 install -r requirements.txt` is not run with each start",
        )
        assert list(detect(root).services) == ["next", "api"]

    def test_does_first_what_stands_before_it(self, tree: Tree) -> None:
        project = tree(
            {
                "predev": "node prepare.js",
                "dev": "npm install && npm run build:shared && concurrently vite 'node worker.js'",
                "build:shared": "tsc -p shared",
            }
        )

        assert list(project.services) == ["prepare", "build-shared", "frontend", "worker"]
        assert project.services["build-shared"].conditions == {"prepare": Condition.COMPLETED}
        assert project.services["frontend"].conditions == {"build-shared": Condition.COMPLETED}
        assert project.is_job("prepare")
        assert project.notes == ("package.json, line 5: `npm install` is not run with each start",)

    def test_waits_for_those_that_it_waits_for_by_their_port(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "concurrently 'node api.js --port 4000' 'wait-on -t 9 tcp:4000 && npm run web' 'wait-on "
                "http://localhost:5173 && electron .'",
                "web": "vite",
            }
        )

        assert {name: (each.command, each.depends_on) for name, each in project.services.items()} == {
            "api": ("node api.js --port ${PORT}", ()),
            "web": (f"npm run web -- {VITE}", ("api",)),
            "electron": ("electron .", ("web",)),
        }

    def test_does_not_wait_in_a_circle(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "concurrently 'wait-on tcp:4001 && node a.js --port 4000' 'wait-on tcp:4000 && node b.js --port "
                "4001' 'wait-on tcp:4002 && node c.js --port 4002'"
            }
        )

        assert {name: each.depends_on for name, each in project.services.items()} == {
            "a": ("b",),
            "b": (),
            "c": (),
        }

    def test_gives_a_second_port_only_to_a_program_that_takes_the_last_one(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "concurrently npm:ui npm:db npm:docs",
                "ui": "vite --port 3001",
                "db": "json-server --watch db.json --port 8005",
                "docs": "vue-cli-service serve --host 0.0.0.0",
            }
        )

        assert {name: each.command for name, each in project.services.items()} == {
            "ui": f"npm run ui -- {VITE}",
            "db": "json-server --watch db.json --port ${PORT}",
            "docs": "npm run docs -- --port ${PORT}",
        }

    def test_says_nothing_of_what_only_watches_files(self, tree: Tree) -> None:
        project = tree(
            {"dev": "concurrently 'vite build --watch' 'velite --watch' 'tailwindcss -w' 'tsx watch a.ts'"}
        )

        assert [note.split()[3] for note in project.notes] == ["a"]

    def test_changes_no_schema_that_a_person_should(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "prisma migrate dev && prisma generate && concurrently npm:schema npm:studio 'npx drizzle-kit "
                "push'",
                "schema": "prisma db push",
                "studio": "prisma studio --port 5555",
            }
        )

        assert {name: each.command for name, each in project.services.items()} == {
            "prepare-2": "prisma generate",
            "studio": "prisma studio --port ${PORT}",
        }
        assert [note.partition(": ")[2].partition(",")[0] for note in project.notes] == [
            "prepare is left out: it may ask",
            "schema is left out: it changes the schema of a database",
            "drizzle-kit is left out: it changes the schema of a database",
        ]

    def test_waits_for_databases_except_where_it_only_builds(
        self, root: Path, write: Write, tree: Tree
    ) -> None:
        write(".env", "DATABASE_URL=postgresql://localhost/x\n")
        tree(
            {
                "dev": "npm run seed && npm run build && concurrently 'node api.js --port 4000' vite 'tsc -w'",
                "build": "tsc",
                "seed": "node seed.js",
            }
        )

        services = detect(root).services

        assert {name for name, each in services.items() if "postgres" in each.depends_on} == {"seed", "api"}

    def test_brings_the_database_of_its_package_up_to_date_once(self, tree: Tree) -> None:
        project = tree(
            {"dev": "concurrently 'next dev' 'PORT=4000 tsx api.ts' 'tsx jobs.ts'"},
            {"dependencies": {"next": "15", "prisma": "6"}},
            **{
                "api.ts": "app.listen(process.env.PORT)",
                "jobs.ts": "",
                "prisma/schema.prisma": 'provider = "postgresql"',
                "prisma/migrations/1_init/migration.sql": "",
            },
        )

        commands = [each.before_start for each in project.services.values()]

        assert commands.count(("npx --no-install prisma migrate deploy",)) == 1
        assert len(commands) == 3

    def test_runs_what_a_watcher_builds_after_it_was_built_once(self, tree: Tree) -> None:
        project = tree(
            {
                "build": "esbuild server.ts --outdir=build",
                "build:server": "esbuild server.ts --outdir=build",
                "dev": "run-p dev:*",
                "dev:server": "node --require dotenv/config ./build/server.js",
                "dev:build": "cross-env NODE_ENV=development npm run build:server -- --watch",
            },
            **{"server.ts": "app.listen(process.env.PORT || 3000)"},
        )

        assert project.services["server"].before_start == ("npm run build",)
        assert project.services["build"].command == "npm run build:server -- --watch"
        assert not [each for each in project.notes if "only builds" in each]

    def test_takes_its_port_from_the_configuration_that_it_names(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "concurrently npm:web npm:api",
                "web": "webpack serve --config web/dev.js",
                "api": "tsx a.ts",
            },
            **{
                "web/dev.js": "const devPort = 3210\nmodule.exports = { devServer: { port: devPort } }",
                "a.ts": "app.listen(process.env.PORT || 4000)",
            },
        )

        assert port_of(project.services["web"]) == 3210
        assert [each.place for each in project.evidence["web"] if each.about == "port"] == [
            "web/dev.js, line 1"
        ]

    def test_may_be_called_serve(self, tree: Tree) -> None:
        project = tree(
            {
                "serve": "concurrently npm:serve:*",
                "serve:api": "tsx a.ts",
                "serve:web": "vite",
                "start": "node dist/a.js",
            }
        )

        assert list(project.services) == ["api", "web"]

    def test_may_be_the_script_that_starts_all_of_it(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "vite",
                "dev:all": "concurrently 'npm run dev' 'npm run server'",
                "server": "tsx server/index.ts",
            }
        )

        assert list(project.services) == ["frontend", "server"]

    def test_is_a_project_in_its_folder(self, root: Path, tree: Tree) -> None:
        tree({"dev": "concurrently vite 'tsc -w'"})

        assert root_shown_by(str(root)) == str(root)

    def test_reads_back_from_the_file_that_init_writes(self, root: Path, write: Write, tree: Tree) -> None:
        tree({"dev": "npm run b && A=1 concurrently vite 'tsc -w'", "b": "tsc"})
        project = detect(root)

        write("devinit.toml", initial_toml(project))

        assert load(root).services == project.services


class TestAServerOfOnesOwn:
    """Shape c: Vite and Express in one package."""

    @pytest.mark.parametrize(
        ("text", "port", "strict", "aliases"),
        [
            ("app.listen(process.env.PORT || 4001)", 4001, False, ()),
            (
                "const port = Number(process.env.API_PORT ?? 4001);\napp.listen(port)",
                4001,
                False,
                ("API_PORT",),
            ),
            ("const PORT = 4001;\napp.listen(PORT)", 4001, True, ()),
            ("app.listen(4001, () => {})", 4001, True, ()),
            ("app.listen(process.env['PORT'])", 3000, False, ()),
            ("const db = { host: 'x', port: 5432 };\napp.listen(4001)", 4001, True, ()),
        ],
    )
    def test_listens_where_its_file_says(
        self, tree: Tree, text: str, port: int, strict: bool, aliases: tuple[str, ...]
    ) -> None:
        project = tree(
            {"dev": "concurrently vite 'nodemon server/index.js'"},
            **{"server/index.js": f"import express from 'express'\nconst app = express()\n{text}\n"},
        )

        service = project.services["server"]
        assert service.port is not None
        assert (service.port.preferred, service.port.strict, service.port_env) == (port, strict, aliases)
        assert bool(service.port.fixed_by) is strict

    @pytest.mark.parametrize(
        "command",
        [
            'nodemon --watch src -e ts --exec \\"tsx src/index.ts\\"',
            "nodemon --exec tsx src/index.ts",
            "tsx watch --clear-screen=false src/index.ts",
            "node --import tsx --watch src/index.ts",
            "ts-node-dev --respawn --transpile-only src/index.ts",
            "bun --watch src/index.ts",
            "dotenv -e .env -- tsx watch src/index.ts",
        ],
    )
    def test_is_found_behind_what_runs_it(self, tree: Tree, command: str) -> None:
        project = tree(
            {"dev": f'concurrently vite "{command}"'},
            **{"src/index.ts": "app.listen(process.env.PORT ?? 4001)"},
        )

        assert {name: port_of(each) for name, each in project.services.items()} == {
            "frontend": 5173,
            "server": 4001,
        }

    def test_names_the_line(self, tree: Tree) -> None:
        project = tree(
            {"dev": "concurrently npm:web npm:api", "web": "vite", "api": "tsx watch api.ts"},
            **{"api.ts": "// listens\n\napp.listen(process.env.PORT || 4001)\n"},
        )

        assert project.evidence["api"][-1].place == "api.ts, line 3"

    def test_of_python_is_read_as_well(self, tree: Tree) -> None:
        project = tree(
            {"dev": "concurrently vite 'python server.py' 'python flasked.py'"},
            **{
                "server.py": "import os, uvicorn\nuvicorn.run('a:b', port=int(os.environ.get('PORT', 8123)))\n",
                "flasked.py": "from flask import Flask\napp = Flask(__name__)\napp.run(debug=True)\n",
            },
        )

        assert {name: port_of(each) for name, each in project.services.items()} == {
            "frontend": 5173,
            "server": 8123,
            "flasked": 5000,
        }
        flasked = project.services["flasked"].port
        assert flasked is not None
        assert flasked.strict

    def test_that_listens_nowhere_gets_no_port(self, tree: Tree) -> None:
        project = tree(
            {"dev": "concurrently vite 'node job.js'"}, **{"job.js": "setInterval(() => {}, 1000)\n"}
        )

        assert port_of(project.services["job"]) is None


MORE: dict[str, object] = {"workspaces": ["apps/*", "packages/*"], "packageManager": "pnpm@9.0.0"}
WORKSPACE = {
    "apps/web/package.json": package(
        "@acme/web", "next dev -p 3005", dependencies={"@acme/ui": "workspace:*"}
    ),
    "apps/api/package.json": package(
        "@acme/api", "tsx watch src/index.ts", devDependencies={"@acme/db": "*"}
    ),
    "apps/api/src/index.ts": "serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8787) })\n",
    "packages/ui/package.json": package("@acme/ui", "tsup --watch", dependencies={"@acme/config": "*"}),
    "packages/db/package.json": package("@acme/db", "tsc", exports={".": "./dist"}),
    "packages/config/package.json": package("@acme/config"),
    "packages/lint/package.json": package("@acme/lint", "tsc --noEmit"),
}


class TestAWorkspace:
    """Shape e: apps, and packages that they import."""

    @pytest.mark.parametrize(
        "script",
        [
            "turbo dev",
            "turbo run dev --parallel --concurrency 20",
            "pnpm turbo dev",
            ". $(cd packages/py && poetry env info --path)/bin/activate && pnpm dev:apps",
            "dotenv -- turbo dev",
            "npx turbo run dev --env-mode=loose",
            "nx run-many -t dev",
            "nx run-many --target=dev --parallel=9",
            "pnpm -r --parallel run dev",
            "pnpm run -r dev",
            "pnpm --filter './apps/**' --filter './packages/*' --parallel dev",
            "npm run dev --workspaces --if-present",
            "yarn workspaces foreach -pivA run dev",
            "yarn workspaces run dev",
            "lerna run dev --parallel --stream",
            "bun run --filter '*' dev",
        ],
    )
    def test_is_each_package_with_that_script_run_by_itself(self, tree: Tree, script: str) -> None:
        project = tree(
            {"dev": script, "dev:apps": "pnpm --filter '*' -r --parallel run dev"}, MORE, **WORKSPACE
        )

        assert shown(project) == {
            "api": ("apps/api", "pnpm run dev", 8787),
            "web": ("apps/web", "pnpm run dev --port ${PORT}", 3005),
            "db": ("packages/db", "pnpm run dev", None),
            "ui": ("packages/ui", "pnpm run dev", None),
        }
        assert project.notes == (
            (
                "packages/lint/package.json, line 4: lint is left out: its script only builds, and nothing here waits "
                "for that"
            ),
        )

    @pytest.mark.parametrize("script", ["prisma studio --port 5556", "dotenv -- drizzle-kit studio"])
    def test_whose_package_shows_a_database_does_not_take_the_name_of_the_database(
        self, tree: Tree, script: str
    ) -> None:
        files = {**WORKSPACE, "packages/db/package.json": package("@acme/db", script)}

        services = tree({"dev": "turbo dev"}, MORE, **files).services

        assert "db-studio" in services
        assert "db" not in services

    @pytest.mark.parametrize(
        ("described", "more", "is_noted"),
        [
            ({"main": "dist/index.js"}, {}, True),
            ({"exports": {".": {"types": "./src/index.ts", "import": "./dist/index.js"}}}, {}, True),
            ({"main": "dist/index.js"}, {"packages/config/dist/index.js": "1"}, False),
            ({"main": "src/index.ts"}, {}, False),
            ({"main": "dist/index.js", "scripts": {}}, {}, False),
            ({"main": "dist/index.js"}, {"turbo.json": {"tasks": {"dev": {"dependsOn": ["^build"]}}}}, False),
        ],
        ids=["main", "exports", "built", "source", "without a script", "built by turbo"],
    )
    def test_names_the_package_that_is_not_built_and_that_nothing_builds(
        self, tree: Tree, described: dict[str, object], more: dict[str, object], is_noted: bool
    ) -> None:
        config = {"name": "@acme/config", "scripts": {"build": "tsc"}, **described}
        files = {**WORKSPACE, "packages/config/package.json": config, **more}

        notes = tree({"dev": "turbo dev"}, MORE, **files).notes

        note = (
            "packages/config/: dist/index.js is missing, which web imports; `cd packages/config && pnpm run build` "
            "makes it"
        )
        assert (note in notes) is is_noted
        assert sum("is missing" in each for each in notes) == is_noted

    def test_starts_first_what_others_import(self, tree: Tree) -> None:
        services = tree({"dev": "turbo dev"}, MORE, **WORKSPACE).services

        assert services["web"].depends_on == ("ui",)
        assert (services["api"].depends_on, services["api"].conditions) == (
            ("db",),
            {"db": Condition.COMPLETED},
        )
        assert services["ui"].depends_on == ()

    def test_waits_until_a_watcher_has_built_what_is_imported(self, tree: Tree) -> None:
        project = tree(
            {
                "dev": "concurrently 'npm run dev -w ui' 'cd apps/web && vite' 'node apps/api/server.js' 'node x.js'"
            },
            MORE,
            **{
                "apps/web/package.json": package("web", dependencies={"ui": "*"}),
                "apps/api/package.json": package("api", dependencies={"ui": "*"}),
                "apps/api/server.js": "app.listen(4000)",
                "x.js": "",
                "packages/ui/package.json": package(
                    "ui", "tsup --watch", exports={".": {"types": "./dist/i.d.ts", "import": "./dist/i.js"}}
                ),
            },
        )

        services = project.services
        assert services["ui"].ready.exec == "test -e dist/i.js"
        assert {name: each.depends_on for name, each in services.items()} == {
            "ui": (),
            "web": ("ui",),
            "server": ("ui",),
            "x": (),
        }
        assert ("ready", "packages/ui/package.json") in {
            (each.about, each.file) for each in project.evidence["ui"]
        }

    @pytest.mark.parametrize(
        ("stated", "command"),
        [
            ({"exports": "./dist/index.mjs"}, "test -e dist/index.mjs"),
            ({"main": "dist/a b.js"}, "test -e 'dist/a b.js'"),
            ({"module": "./dist/m.js", "main": "dist/c.js"}, "test -e dist/m.js"),
            ({"exports": {"./*": "./dist/*.js"}}, None),
            ({"main": "../x.js"}, None),
            ({"main": "/x.js"}, None),
            ({"exports": [1], "main": 3}, None),
            ({}, None),
        ],
    )
    def test_knows_what_is_imported(self, tree: Tree, stated: dict[str, object], command: str | None) -> None:
        project = tree(
            {"dev": "concurrently 'turbo dev' vite"},
            MORE,
            **{"packages/a/package.json": package("a", "tsc -w", **stated)},
        )

        assert project.services["a"].ready.exec == command

    def test_names_both_lines(self, tree: Tree) -> None:
        evidence = tree({"dev": "turbo dev"}, MORE, **WORKSPACE).evidence["web"]

        assert [(each.about, each.place) for each in evidence] == [
            ("command", "apps/web/package.json, line 4"),
            ("command", "package.json, line 4"),
            ("directory", "apps/web/package.json, line 4"),
            ("port", "apps/web/package.json, line 4"),
        ]

    @pytest.mark.parametrize(
        ("script", "names"),
        [
            ("turbo dev --filter=web --filter=api", ["api", "web"]),
            ("turbo dev --filter=@acme/web...", ["web", "ui"]),
            ("turbo dev --filter='./apps/*'", ["api", "web"]),
            ("turbo dev --filter='!./packages/*'", ["api", "web"]),
            ("nx run-many -t dev -p web,api", ["api", "web"]),
            ("pnpm --filter @acme/web --filter @acme/api dev", ["api", "web"]),
            ("npm run dev -w web -w apps/api", ["api", "web"]),
            ("lerna run dev --scope=@acme/web --scope @acme/api", ["api", "web"]),
            ("concurrently 'yarn workspace @acme/web dev' 'yarn workspace @acme/api dev'", ["web", "api"]),
            ("concurrently -n a,b 'pnpm --filter web dev' 'pnpm --filter api dev'", ["a", "b"]),
            ("yarn workspaces foreach -A --include '@acme/web' --include @acme/api run dev", ["api", "web"]),
        ],
    )
    def test_is_only_what_the_command_selects(self, tree: Tree, script: str, names: list[str]) -> None:
        assert list(tree({"dev": script}, MORE, **WORKSPACE).services) == names

    @pytest.mark.parametrize("dev", ["expo start --ios", "pnpm with-env expo start", "react-native start"])
    def test_starts_nothing_for_a_phone(self, write: Write, tree: Tree, dev: str) -> None:
        write("pnpm-workspace.yaml", "packages: ['apps/*']\n")
        mobile = package("mobile", dev)
        mobile["scripts"]["with-env"] = "dotenv --"  # type: ignore[index]

        project = tree(
            {"dev": "turbo dev"},
            **{"apps/web/package.json": package("web", "next dev"), "apps/mobile/package.json": mobile},
        )

        assert list(project.services) == ["web"]
        assert any("mobile is left out" in each and "it is no web server" in each for each in project.notes)

    def test_of_pnpm_is_named_in_its_own_file(self, write: Write, tree: Tree) -> None:
        write("pnpm-workspace.yaml", "packages:\n  - 'apps/*'\n  - packages/ui\n")

        assert list(tree({"dev": "turbo dev"}, None, **WORKSPACE).services) == ["api", "web", "ui"]

    def test_says_nothing_about_programs_outside_of_it(self, root: Path, write: Write, tree: Tree) -> None:
        write("backend/main.py", API)
        tree({"dev": "turbo dev --filter='./apps/*'"}, MORE, **WORKSPACE)

        assert list(detect(root).services) == ["api", "web", "backend"]

    def test_without_packages_is_not_started(self, tree: Tree) -> None:
        project = tree({"dev": "turbo dev"})

        assert project.services == {}
        assert project.notes[0].startswith("package.json, line 4: `turbo dev` is not started: no packages")

    @pytest.mark.parametrize(
        ("depends_on", "jobs"),
        [
            (["^build"], {"build": "turbo run build --filter=@acme/kit"}),
            (
                ["generate", "^build"],
                {
                    "generate": "turbo run generate --filter=@acme/api",
                    "build": "turbo run build --filter=@acme/kit",
                },
            ),
            (["//#prepare"], {"prepare": "npm run prepare"}),
            (["@acme/kit#build"], {"build": "turbo run build --filter=@acme/kit"}),
            (["^lint", "^dev", "dev", 3], {}),
            ("^build", {}),
        ],
    )
    def test_has_done_first_what_turbo_does_first(
        self, tree: Tree, depends_on: object, jobs: dict[str, str]
    ) -> None:
        scripts_of_api = {"dev": "node --watch api.js --port 4000", "generate": "prisma generate"}
        project = tree(
            {"dev": "turbo dev", "prepare": "node prepare.js"},
            MORE,
            **{
                "turbo.json": '{ // settings\n "tasks": {"dev": {"dependsOn": '
                + json.dumps(depends_on)
                + ', "cache": false},}, }',
                "apps/api/package.json": {
                    "name": "@acme/api",
                    "scripts": scripts_of_api,
                    "dependencies": {"@acme/kit": "*"},
                },
                "apps/web/package.json": package("@acme/web", "vite"),
                "packages/kit/package.json": {"name": "@acme/kit", "scripts": {"build": "tsc"}},
                "packages/unused/package.json": {"name": "@acme/unused", "scripts": {"build": "tsc"}},
            },
        )

        services = project.services
        assert {name: each.command for name, each in services.items() if name not in ("api", "web")} == jobs
        assert all(project.is_job(name) for name in jobs)
        assert services["api"].depends_on == services["web"].depends_on == tuple(jobs)[-1:]

    def test_of_packages_that_need_each_other_starts(self, tree: Tree) -> None:
        project = tree(
            {"dev": "turbo dev"},
            MORE,
            **{
                "packages/a/package.json": package("a", "tsc -w", dependencies={"b": "*"}),
                "packages/b/package.json": package("b", "tsc -w", dependencies={"a": "*"}),
            },
        )

        assert {name: each.depends_on for name, each in project.services.items()} == {"a": (), "b": ()}


class TestAScriptThatStartsOneProgram:
    @pytest.mark.parametrize(
        "given",
        [
            {"dev": "vite"},
            {"dev": "npm install && vite"},
            {"dev": "npm run web", "web": "vite"},
            {"dev": "next dev", "start": "concurrently a b"},
            {"dev": "npm run dev"},
            {"dev": "npm run a", "a": "npm run dev"},
            {"dev": "foreman start -f Procfile.dev"},
            {"dev": "npm run dev --prefix client"},
            {"dev": "cd client && vite"},
            {"dev": ""},
            {},
        ],
    )
    def test_is_no_list_of_services(self, tree: Tree, given: dict[str, str]) -> None:
        project = tree(given)

        assert (project.services, project.notes) == ({}, ())


WORDS = st.lists(
    st.sampled_from(
        [
            "concurrently", "run-p", "turbo", "nx", "run-many", "-t", "pnpm", "-r", "--filter", "web", "dev", "npm:*",
            "npm", "run", "x", "&", "&&", "cd", "apps/a", "..", "'", '"', "-n", "a,b", "yarn", "workspaces", "foreach",
            "-A", "--prefix", "y" * 300, "-f", "--", "wait-on", "tcp:1", "\0", "vite", "--port", "$PORT", "99999", "dotenv", "-e", "--", "A=b", "tsc", "-w", "\\",
        ]
    ),
    max_size=9,
).map(" ".join)  # fmt: skip


class TestAHostileRepository:
    def test_is_followed_a_little_only(self, tree: Tree) -> None:
        many = {f"s{n}": f"concurrently npm:s{n + 1} npm:s{n + 2} 'x {n}'" for n in range(60)}

        project = tree({"dev": "concurrently npm:s0 npm:s1", **many})

        assert len(project.services) <= 50

    def test_with_names_that_no_system_can_have_stops_nothing(self, tree: Tree) -> None:
        name = "y" * 300

        project = tree(
            {
                "dev": f"dotenv -e {name} -- concurrently 'cd {name} && vite' 'npm run dev --prefix {name}' 'node {name}.js'"
            }
        )

        assert all(name not in str(each.directory) for each in project.services.values())

    def test_that_leads_back_to_itself_starts_none_of_that(self, tree: Tree) -> None:
        project = tree(
            {"dev": "concurrently vite 'node a.js' 'npm run all'", "all": "concurrently 'npm run dev'"}
        )

        assert list(project.services) == ["frontend", "a"]
        assert "`npm run dev` is not started, because it leads back to itself" in project.notes[0]

    @pytest.mark.timeout(120)
    @pytest.mark.parametrize("last", ["npm:a:*", "npm:none:*", "echo x && turbo none", "cd .. && npm:z"])
    def test_whose_scripts_lead_everywhere_is_not_followed_for_long(self, tree: Tree, last: str) -> None:
        many = {
            f"{letter}:{number}": f"concurrently 'npm:{letter_after}:*'"
            for letter, letter_after in zip("abcde", "bcdef", strict=True)
            for number in range(40)
        }
        ends = {f"f:{number}": f"concurrently '{last}'" for number in range(40)}

        project = tree({"dev": "concurrently 'npm:a:*'", **many, **ends})

        assert len(project.services) <= 50
        assert len(project.notes) <= 120

    def test_reaches_no_folder_outside(self, tmp_path: Path, root: Path, tree: Tree) -> None:
        (tmp_path / "other").mkdir()
        (tmp_path / "other/package.json").write_text(json.dumps(package("x", "vite")))
        (root / "linked").symlink_to(tmp_path / "other")

        project = tree(
            {"dev": "concurrently 'npm run dev --prefix linked' 'npm run dev --prefix ../other' 'vite'"}
        )

        assert {each.directory for each in project.services.values()} == {root}

    @settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(dev=WORDS, other=WORDS, inner=st.one_of(WORDS, st.text(max_size=40)))
    def test_never_raises_and_reads_back(self, root: Path, dev: str, other: str, inner: str) -> None:
        (root / "apps/a").mkdir(parents=True, exist_ok=True)
        described = {"scripts": {"dev": dev, "x": other, "predev": inner}, "workspaces": ["apps/*"]}
        (root / "package.json").write_text(json.dumps(described))
        (root / "apps/a/package.json").write_text(
            json.dumps({"name": "web", "scripts": {"dev": inner, "x": dev}})
        )
        (root / "devinit.toml").unlink(missing_ok=True)
        project = detect(root)
        if not project.services:
            return

        (root / "devinit.toml").write_bytes(initial_toml(project).encode())

        assert {name: each.command for name, each in load(root).services.items()} == {
            name: each.command for name, each in project.services.items()
        }
