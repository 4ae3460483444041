"""Specifies what is not started although it looks like an application, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect

Write = Callable[..., Path]

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"


def package(dev: str, **keys: object) -> str:
    return json.dumps({"scripts": {"dev": dev}, **keys})


class TestAnApplication:
    @pytest.mark.parametrize(
        "folder",
        [
            "node_modules/x", "vendor/x", "examples/shop", "tests/app", "e2e", "docs/site", "shop-demo", "backup",
            "backend-old.bak", "template", "starter_template", "dist", ".archive/api", "a/b/c/fixtures",
            "packages/db/test", "{{cookiecutter.slug}}/app", "playground",
        ],
    )  # fmt: skip
    def test_of_others_in_a_folder_of_the_repository_is_none_of_the_project(
        self, root: Path, write: Write, folder: str
    ) -> None:
        write(f"{folder}/main.py", FASTAPI)
        write(f"{folder}/package.json", package("vite"))

        assert detect(root).services == {}

    @pytest.mark.parametrize("name", ["hc-venv", "python", "my.env"])
    def test_in_an_environment_of_python_is_none_whatever_that_is_called(
        self, root: Path, write: Write, name: str
    ) -> None:
        write(f"{name}/pyvenv.cfg")
        write(f"{name}/lib/app.py", FASTAPI)

        assert detect(root).services == {}

    @pytest.mark.parametrize("marker", [".git/HEAD", ".git"])
    def test_in_a_repository_of_its_own_is_none(self, root: Path, write: Write, marker: str) -> None:
        write("other/main.py", FASTAPI)
        write(f"other/{marker}", "gitdir: elsewhere\n")

        assert detect(root).services == {}

    def test_below_the_home_directory_is_none_of_that(
        self, root: Path, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("me/shop/main.py", FASTAPI)
        write("main.py", FASTAPI)
        monkeypatch.setenv("HOME", str(root / "me"))

        assert [each.directory for each in detect(root).services.values()] == [root]
        assert detect(root / "me").services == {}
        assert list(detect(root / "me" / "shop").services) == ["backend"]

    def test_that_still_has_to_be_filled_in_is_none_and_named(self, root: Path, write: Write) -> None:
        write("web/package.json", '{\n  "name": "{{ name }}",\n  "scripts": {"dev": "vite"}\n}\n')

        project = detect(root)

        assert project.services == {}
        assert (
            "web/package.json, line 2: a template that has to be filled in first; nothing of it is started"
            in project.notes
        )

    def test_among_examples_alone_is_said_to_be_passed_over(self, root: Path, write: Write) -> None:
        write("examples/shop/main.py", FASTAPI)

        assert detect(root).notes == (
            "passed over: examples (other repositories, examples, tests and copies)",
        )

    def test_that_is_mounted_into_another_one_is_not_served(self, root: Path, write: Write) -> None:
        write("backend/a.py", FASTAPI)
        write(
            "backend/main.py",
            "from fastapi import FastAPI\nsub = FastAPI()\napp = FastAPI()\napp.mount('/x', sub)\n",
        )

        command = detect(root).services["backend"].command

        assert command is not None
        assert command.startswith("uvicorn main:app ")

    def test_that_a_server_is_started_with_is_served_wherever_it_is(self, root: Path, write: Write) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/shop/web.py", FASTAPI)
        write("backend/Dockerfile", 'CMD ["uvicorn", "shop.web:app", "--host", "0.0.0.0"]\n')

        project = detect(root)

        assert (project.services["backend"].command or "").startswith("uvicorn shop.web:app ")
        assert project.notes == ()

    def test_beside_another_one_that_nothing_prefers_is_named(self, root: Path, write: Write) -> None:
        write("backend/main.py", FASTAPI)
        write("backend/admin.py", FASTAPI)

        assert detect(root).notes == (
            "backend/: backend/main.py is served; an application is in backend/admin.py, too",
        )


class TestAPackage:
    @pytest.mark.parametrize(
        "described",
        [
            package("tsup --watch"),
            package("tsc -w"),
            package("vite build --watch"),
            package("pnpm run watch:js"),
            package("vite", exports={".": "./dist/index.js"}),
            package("expo start"),
            package("prisma studio"),
            package("turbo dev"),
            package("node scripts/sync.js"),
        ],
    )
    def test_that_serves_no_application_is_not_started(
        self, root: Path, write: Write, described: str
    ) -> None:
        write("packages/ui/package.json", described)

        assert detect(root).services == {}

    def test_that_is_built_as_a_library_is_not_started(self, root: Path, write: Write) -> None:
        write("ui/package.json", package("vite"))
        write("ui/index.html")
        write("ui/vite.config.ts", "export default { build: { lib: { entry: 'src/index.ts' } } }\n")

        assert detect(root).services == {}

    @pytest.mark.parametrize(
        ("scripts", "reason"),
        [
            ({"dev": "kill-port 3000 && vite"}, "it ends processes by their name or port"),
            (
                {"dev": "npm run free && vite", "free": "fuser -k 3000/tcp"},
                "it ends processes by their name or port",
            ),
            ({"dev": "vite", "predev": "pkill -f vite"}, "it ends processes by their name or port"),
            (
                {"dev": "vite", "predev": "npm run free", "free": "npx kill-port 3000"},
                "it ends processes by their name or port",
            ),
            ({"dev": "docker compose up"}, "it starts containers"),
            ({"dev": "git pull && vite"}, "it changes the checkout"),
        ],
    )
    def test_whose_script_does_harm_is_left_out_and_named(
        self, root: Path, write: Write, scripts: dict[str, str], reason: str
    ) -> None:
        write("web/package.json", json.dumps({"scripts": scripts}))

        project = detect(root)

        assert project.services == {}
        assert project.notes[0].startswith(f"web/: its `dev` is left out: {reason}")


class TestAProgramThatIsNotRecognised:
    def test_is_named_with_what_starts_it(self, root: Path, write: Write) -> None:
        write("backend/main.py", FASTAPI)
        write("worker/go.mod", "module worker\n")
        write("worker/main.go", "package main\n\nfunc main() {}\n")

        assert detect(root).notes == (
            (
                "worker/: go.mod looks like a program in Go, and no server was recognised in it; "
                "a [services.worker] with a command in devinit.toml starts it"
            ),
        )

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("lib/go.mod", "module lib\n"),
            ("crates/core/Cargo.toml", "[package]\n"),
            ("backend/Dockerfile", "FROM python\n"),
            ("docker/nginx/Dockerfile", "FROM nginx\n"),
        ],
    )
    def test_is_no_library_and_no_folder_of_a_program_that_was_found(
        self, root: Path, write: Write, file: str, text: str
    ) -> None:
        write("backend/main.py", FASTAPI)
        write(file, text)

        assert detect(root).notes == ()


class TestADriver:
    @pytest.mark.parametrize(
        "settings",
        [
            'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}\n',
            'DATABASES = {"default": env.db("DATABASE_URL", default="sqlite:///db.sqlite3")}\n',
            'url = os.getenv("DATABASE_URL", "sqlite+aiosqlite:///./app.db")\n',
        ],
    )
    def test_that_the_settings_do_without_needs_no_server(
        self, root: Path, write: Write, settings: str
    ) -> None:
        write("app/main.py", FASTAPI)
        write("app/settings.py", settings)
        write("requirements.txt", "fastapi\npsycopg[binary]\n")

        assert list(detect(root).services) == ["backend"]

    @pytest.mark.parametrize(
        "source", ['kwargs = {} if url.startswith("sqlite://") else {"pool_size": 5}\n', "import sqlite3\n"]
    )
    def test_that_the_code_only_makes_room_for_sqlite_beside_needs_a_server(
        self, root: Path, write: Write, source: str
    ) -> None:
        write("app/main.py", FASTAPI)
        write("app/database.py", source)
        write("requirements.txt", "fastapi\npsycopg[binary]\n")

        assert "postgres" in detect(root).services

    def test_of_a_program_that_is_not_the_projects_needs_none(self, root: Path, write: Write) -> None:
        write("backend/main.py", FASTAPI)
        write("infra/backup-job/requirements.txt", "psycopg\n")
        write("infra/.env.example", "POSTGRES_HOST=db\n")

        assert list(detect(root).services) == ["backend"]

    def test_of_a_package_that_the_programs_share_needs_a_server(self, root: Path, write: Write) -> None:
        write("apps/web/package.json", package("next dev"))
        write("packages/db/package.json", '{"dependencies": {"pg": "8"}}')

        assert list(detect(root).services) == ["postgres", "frontend"]

    def test_that_an_env_file_names_a_server_for_needs_it(self, root: Path, write: Write) -> None:
        write("app/main.py", FASTAPI)
        write("app/settings.py", 'url = os.getenv("DATABASE_URL", "sqlite:///app.db")\n')
        write(".env", "DATABASE_URL=postgresql://localhost/shop\n")

        assert "postgres" in detect(root).services

    @pytest.mark.parametrize(
        ("file", "text", "note"),
        [
            (
                "package.json",
                '{\n"dependencies": {\n"mysql2": "3"\n}}',
                "package.json, line 3: mysql2 needs MySQL",
            ),
            ("requirements.txt", "pymongo\n", "requirements.txt, line 1: pymongo needs MongoDB"),
            ("Gemfile", 'gem "mysql2"\n', "Gemfile, line 1: mysql2 needs MySQL"),
            (
                "prisma/schema.prisma",
                'provider = "mongodb"\n',
                "prisma/schema.prisma, line 1: it needs MongoDB",
            ),
        ],
    )
    def test_of_a_server_that_devinit_does_not_provide_is_named(
        self, root: Path, write: Write, file: str, text: str, note: str
    ) -> None:
        write(file, text)

        assert any(each.startswith(note) for each in detect(root).notes)


class TestManyServers:
    def test_are_described_and_started_by_their_names_but_for_those_that_a_page_needs(
        self, root: Path, write: Write
    ) -> None:
        for number in range(9):
            write(f"services/s{chr(97 + number)}/main.py", FASTAPI)
            write(f"services/s{chr(97 + number)}/requirements.txt")
        write("services/api/main.py", FASTAPI)
        write("web/package.json", package("vite"))

        project = detect(root)

        assert [name for name, each in project.services.items() if each.autostart] == ["api", "frontend"]
        assert len(project.notes[-1]) < 250
        assert project.notes[-1].startswith("11 programs were found, too many to start all of them: sa, sb, ")
