"""Specifies what is found in repositories of the shapes that people have, and what is left alone in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from devinit.config.detected import detect
from devinit.config.initial import initial_toml
from devinit.config.load import load
from devinit.model.service import Project

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
UVICORN = "--host 127.0.0.1 --port ${PORT} --reload"
VITE = "--host 127.0.0.1 --port ${PORT} --strictPort"
MANAGE = 'import os\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
SQLITE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}\n'
PAGE = "<!doctype html>"


def package(dev: str = "", **keys: object) -> str:
    scripts = {"dev": dev} if dev else {}
    return json.dumps({"scripts": scripts, **keys}, indent=1)


class Expected(NamedTuple):
    """What is found of one service."""

    folder: str
    command: str | None
    port: int | None
    needs: tuple[str, ...] = ()


SHAPES: dict[str, tuple[dict[str, str], dict[str, Expected]]] = {
    "a server of aiohttp that is run as a package": (
        {
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["aiohttp"]\n',
            "shop/__init__.py": "",
            "shop/__main__.py": "import os\nfrom aiohttp import web\n\n"
            'web.run_app(web.Application(), port=int(os.environ.get("PORT", 8090)))\n',
        },
        {"backend": Expected("", "python -m shop", 8090)},
    ),
    "a server of Tornado with an option for its port": (
        {
            "requirements.txt": "tornado\n",
            "server.py": "import tornado.web\nfrom tornado.options import define, options\n\n"
            'define("port", default=8888, type=int)\n\n\ndef main():\n'
            "    tornado.web.Application([]).listen(options.port)\n\n\n"
            'if __name__ == "__main__":\n    main()\n',
        },
        {"backend": Expected("", "python server.py --port=${PORT}", 8888)},
    ),
    "a server of the standard library with an option of argparse": (
        {
            "server.py": "import argparse\nfrom http.server import HTTPServer, SimpleHTTPRequestHandler\n\n"
            'parser = argparse.ArgumentParser()\nparser.add_argument("-p", "--port", type=int, default=8123)\n'
            'args = parser.parse_args()\nHTTPServer(("", args.port), SimpleHTTPRequestHandler).serve_forever()\n',
        },
        {"backend": Expected("", "python server.py --port=${PORT}", 8123)},
    ),
    "metrics of the standard library beside an application": (
        {
            "app.py": FASTAPI,
            "server.py": "from http.server import HTTPServer, SimpleHTTPRequestHandler\n\n"
            'HTTPServer(("", 9100), SimpleHTTPRequestHandler).serve_forever()\n',
        },
        {"backend": Expected("", f"uvicorn app:app {UVICORN}", 8000)},
    ),
    "a page of NiceGUI on a port of its own": (
        {
            "requirements.txt": "nicegui\n",
            "main.py": 'from nicegui import ui\n\nui.label("hello")\nui.run(port=8091, reload=True)\n',
        },
        {"frontend": Expected("", "python main.py", 8091)},
    ),
    "a chat of Chainlit": (
        {
            "requirements.txt": "chainlit\n",
            "chat.py": "import chainlit as cl\n\n\n@cl.on_message\nasync def answer(message):\n    pass\n",
        },
        {
            "frontend": Expected(
                "", "chainlit run chat.py --host 127.0.0.1 --port ${PORT} --headless --watch", 8000
            )
        },
    ),
    "documentation of MkDocs alone": (
        {"mkdocs.yml": "site_name: Shop\n", "docs/index.md": "# Shop\n", "requirements.txt": "mkdocs\n"},
        {"frontend": Expected("", "mkdocs serve --dev-addr 127.0.0.1:${PORT}", 8000)},
    ),
    "documentation of MkDocs beside an application": (
        {"mkdocs.yml": "site_name: Shop\n", "docs/index.md": "# Shop\n", "app.py": FASTAPI},
        {"backend": Expected("", f"uvicorn app:app {UVICORN}", 8000)},
    ),
    "a site of Hugo": (
        {"hugo.toml": 'title = "Shop"\n', "content/_index.md": "# Shop\n"},
        {"frontend": Expected("", "hugo server --bind 127.0.0.1 --port ${PORT}", 1313)},
    ),
    "a site of Jekyll": (
        {"_config.yml": "title: Shop\n", "Gemfile": 'source "https://rubygems.org"\ngem "jekyll"\n'},
        {"frontend": Expected("", "bundle exec jekyll serve --host 127.0.0.1 --port ${PORT}", 4000)},
    ),
    "a site of Eleventy": (
        {"package.json": package("eleventy --serve", devDependencies={"@11ty/eleventy": "3"})},
        {"frontend": Expected("", "npm run dev -- --port ${PORT}", 8080)},
    ),
    "documentation of Docusaurus and stories beside an application": (
        {
            "website/package.json": package("docusaurus start", dependencies={"@docusaurus/core": "3"}),
            "packages/ui/package.json": package("storybook dev -p 6006"),
            "app.py": FASTAPI,
        },
        {"backend": Expected("", f"uvicorn app:app {UVICORN}", 8000)},
    ),
    "documentation of Docusaurus alone": (
        {"package.json": package("docusaurus start", dependencies={"@docusaurus/core": "3"})},
        {"frontend": Expected("", "npm run dev -- --host 127.0.0.1 --port ${PORT} --no-open", 3000)},
    ),
    "FastAPI at the root and a page in client/": (
        {
            "app/__init__.py": "",
            "app/main.py": f"from app.routes import router\n{FASTAPI}",
            "app/routes.py": "router = None\n",
            "requirements.txt": "fastapi\nuvicorn\nasyncpg\n",
            "client/package.json": package("vite"),
            "client/index.html": PAGE,
        },
        {
            "postgres": Expected("", None, 5432),
            "backend": Expected("", f"uvicorn app.main:app {UVICORN}", 8000, ("postgres",)),
            "frontend": Expected("client", f"npm run dev -- {VITE}", 5173, ("backend",)),
        },
    ),
    "a workspace of pnpm with Next.js, Express and a library": (
        {
            "package.json": package(packageManager="pnpm@9.1.0", private=True),
            "pnpm-workspace.yaml": "packages:\n  - apps/*\n  - 'packages/*'\n",
            "pnpm-lock.yaml": "",
            "apps/web/package.json": package("next dev", dependencies={"next": "15"}),
            "apps/api/package.json": package(
                "tsx watch src/index.ts", dependencies={"express": "5", "pg": "8"}
            ),
            "apps/api/src/index.ts": 'import express from "express";\nexpress().listen(process.env.PORT ?? 4000);\n',
            "packages/ui/package.json": package("tsup --watch", exports={".": "./dist/index.js"}),
        },
        {
            "postgres": Expected("", None, 5432),
            "backend": Expected("apps/api", "pnpm run dev", 4000, ("postgres",)),
            "frontend": Expected("apps/web", "pnpm run dev --port ${PORT}", 3000, ("backend",)),
        },
    ),
    "Django in src/, with sqlite as its default": (
        {
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["django", "psycopg", "dj-database-url"]\n',
            "src/manage.py": MANAGE,
            "src/shop/settings.py": 'import dj_database_url\nDATABASES = {"default": dj_database_url.config(default="sqlite:///db")}\n',
        },
        {"backend": Expected("src", "python manage.py runserver 127.0.0.1:${PORT}", 8000)},
    ),
    "several pages beside one backend": (
        {
            "backend/main.py": FASTAPI,
            "web/package.json": package("vite"),
            "web/index.html": PAGE,
            "admin/package.json": package("ng serve", dependencies={"@angular/core": "20"}),
        },
        {
            "backend": Expected("backend", f"uvicorn main:app {UVICORN}", 8000),
            "admin": Expected("admin", "npm run dev -- --host 127.0.0.1 --port ${PORT}", 4200, ("backend",)),
            "web": Expected("web", f"npm run dev -- {VITE}", 5173, ("backend",)),
        },
    ),
    "services in folders of their own": (
        {
            "services/orders/app/main.py": FASTAPI,
            "services/orders/requirements.txt": "fastapi\n",
            "services/users/main.py": f"{FASTAPI}import uvicorn\nuvicorn.run('main:app', port=8012)\n",
            "services/users/requirements.txt": "fastapi\n",
        },
        {
            "orders": Expected("services/orders", f"uvicorn app.main:app {UVICORN}", 8000),
            "users": Expected("services/users", f"uvicorn main:app {UVICORN}", 8012),
        },
    ),
    "a page at the root and a server in server/": (
        {
            "package.json": package("vite", dependencies={"react": "19"}, devDependencies={"vite": "7"}),
            "index.html": PAGE,
            "vite.config.ts": "export default defineConfig({ server: { port: 3010 } });\n",
            "server/package.json": package(
                "nodemon src/index.js", dependencies={"express": "5", "@prisma/client": "6"}
            ),
            "server/src/index.js": "const port = process.env.PORT || 5001;\napp.listen(port);\n",
            "server/prisma/schema.prisma": 'datasource db {\n  provider = "sqlite"\n}\n',
            "server/prisma/migrations/1/migration.sql": "",
        },
        {
            "backend": Expected("server", "npm run dev", 5001),
            "frontend": Expected("", f"npm run dev -- {VITE}", 3010, ("backend",)),
        },
    ),
    "a page and a function in api/, as they are deployed together": (
        {
            "package.json": package("next dev", dependencies={"next": "15"}),
            "api/index.py": FASTAPI,
            "requirements.txt": "fastapi\n",
        },
        {
            "backend": Expected("api", f"uvicorn index:app {UVICORN}", 8000),
            "frontend": Expected("", "npm run dev -- --port ${PORT}", 3000, ("backend",)),
        },
    ),
    "Flask with Celery": (
        {
            "app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
            "tasks.py": 'from celery import Celery\n\nqueue = Celery("shop", broker="redis://localhost:6379/0")\n',
            "requirements.txt": "flask\ncelery[redis]\n",
        },
        {
            "redis": Expected("", None, 6379),
            "backend": Expected(
                "", "flask --app app run --host 127.0.0.1 --port ${PORT} --debug", 5000, ("redis",)
            ),
            "worker": Expected("", "celery -A tasks:queue worker --loglevel INFO", None, ("redis",)),
        },
    ),
    "a server of Go and a page": (
        {
            "go.mod": "module shop\n\nrequire github.com/jackc/pgx/v5 v5.7.0\n",
            "cmd/server/main.go": 'package main\n\nimport "net/http"\n\nfunc main() {\n\thttp.ListenAndServe(":"+os.Getenv("PORT"), nil)\n}\n',
            "cmd/migrate/main.go": "package main\n\nfunc main() {}\n",
            "web/package.json": package("vite"),
            "web/index.html": PAGE,
        },
        {
            "postgres": Expected("", None, 5432),
            "backend": Expected("", "go run ./cmd/server", 8080, ("postgres",)),
            "frontend": Expected("web", f"npm run dev -- {VITE}", 5173, ("backend",)),
        },
    ),
    "a server of Rust in a workspace": (
        {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
            "crates/api/Cargo.toml": '[package]\nname = "api"\n[dependencies]\naxum = "0.8"\nsqlx = { version = "0.8", features = ["postgres"] }\n',
            "crates/api/src/main.rs": 'fn main() {\n    let port = std::env::var("API_PORT").unwrap_or("8081".into());\n    TcpListener::bind(addr);\n}\n',
            "crates/core/Cargo.toml": '[package]\nname = "core"\n',
            "crates/core/src/lib.rs": "",
        },
        {
            "postgres": Expected("", None, 5432),
            "backend": Expected("crates/api", "cargo run", 8081, ("postgres",)),
        },
    ),
    "Rails": (
        {
            "Gemfile": 'gem "rails", "~> 8.0"\ngem "pg"\ngem "sidekiq"\n',
            "bin/rails": "",
            "config/database.yml": "development:\n  adapter: postgresql\n",
            "config/routes.rb": '  get "up" => "rails/health#show", as: :rails_health_check\n',
            "db/schema.rb": "",
        },
        {
            "postgres": Expected("", None, 5432),
            "redis": Expected("", None, 6379),
            "backend": Expected("", "bin/rails server -b 127.0.0.1 -p ${PORT}", 3000, ("postgres", "redis")),
            "worker": Expected("", "bundle exec sidekiq", None, ("postgres", "redis", "backend")),
        },
    ),
    "Laravel": (
        {
            "artisan": "",
            "composer.json": json.dumps({"require": {"laravel/framework": "^12"}}),
            ".env.example": "DB_CONNECTION=sqlite\nQUEUE_CONNECTION=database\n",
            "package.json": package("vite", devDependencies={"vite": "7", "laravel-vite-plugin": "2"}),
        },
        {
            "backend": Expected("", "php artisan serve --host=127.0.0.1 --port=${PORT} --tries=1", 8000),
            "assets": Expected("", f"npm run dev -- {VITE}", 5173),
            "worker": Expected("", "php artisan queue:listen --tries=1", None),
        },
    ),
    "Django whose assets Vite serves": (
        {
            "manage.py": MANAGE,
            "shop/settings.py": SQLITE,
            "package.json": package("vite", devDependencies={"vite": "7"}),
            "vite.config.js": "export default { build: { manifest: true } };\n",
        },
        {
            "backend": Expected("", "python manage.py runserver 127.0.0.1:${PORT}", 8000),
            "assets": Expected("", f"npm run dev -- {VITE}", 5173),
        },
    ),
    "Phoenix": (
        {
            "mix.exs": 'defp deps do\n  [{:phoenix, "~> 1.8"}, {:postgrex, ">= 0.0.0"}]\nend\n',
            "config/dev.exs": 'config :shop, http: [port: String.to_integer(System.get_env("PORT") || "4000")]\n',
        },
        {
            "postgres": Expected("", None, 5432),
            "backend": Expected("", "mix phx.server", 4000, ("postgres",)),
        },
    ),
    "Spring Boot and a page of Angular": (
        {
            "pom.xml": "<artifactId>spring-boot-starter-web</artifactId>\n<artifactId>postgresql</artifactId>\n",
            "mvnw": "",
            "src/main/resources/application.properties": "server.port=8090\n",
            "src/main/java/App.java": "",
            "ui/package.json": json.dumps({"scripts": {"start": "ng serve"}}),
            "ui/angular.json": '{"serve": {"options": {"port": 4300}}}',
        },
        {
            "postgres": Expected("", None, 5432),
            "backend": Expected("", "sh ./mvnw spring-boot:run", 8090, ("postgres",)),
            "frontend": Expected(
                "ui", "npm run start -- --host 127.0.0.1 --port ${PORT}", 4300, ("backend",)
            ),
        },
    ),
    ".NET": (
        {
            "Shop.Api/Shop.Api.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web">\n<PackageReference Include="Npgsql" Version="9" />\n',
            "Shop.Api/Properties/launchSettings.json": '{"applicationUrl": "https://localhost:7001;http://localhost:5170"}',
            "Shop.Core/Shop.Core.csproj": '<Project Sdk="Microsoft.NET.Sdk">\n',
        },
        {
            "postgres": Expected("", None, 5432),
            "backend": Expected(
                "Shop.Api", "dotnet watch --non-interactive run --no-launch-profile", 5170, ("postgres",)
            ),
        },
    ),
    "SvelteKit that talks to PostgreSQL itself": (
        {
            "package.json": package(
                "vite dev",
                devDependencies={"@sveltejs/kit": "2", "vite": "7"},
                dependencies={"postgres": "3"},
            ),
            "bun.lock": "",
        },
        {
            "postgres": Expected("", None, 5432),
            "frontend": Expected("", f"bun run dev {VITE}", 5173, ("postgres",)),
        },
    ),
    "NestJS beside Nuxt": (
        {
            "api/package.json": json.dumps(
                {
                    "scripts": {
                        "build": "nest build",
                        "start": "nest start",
                        "start:dev": "nest start --watch",
                    },
                    "dependencies": {"@nestjs/core": "11"},
                }
            ),
            "api/src/main.ts": "await app.listen(process.env.API_PORT ?? 3333);\n",
            "ui/package.json": package("nuxt dev", dependencies={"nuxt": "4"}),
        },
        {
            "backend": Expected("api", "npm run start:dev", 3333),
            "frontend": Expected("ui", "npm run dev -- --host 127.0.0.1 --port ${PORT}", 3000, ("backend",)),
        },
    ),
    "a task of Deno": (
        {
            "deno.json": '{"tasks": {"dev": "deno run --watch -A main.ts"}}',
            "main.ts": "Deno.serve(() => new Response());\n",
        },
        {"backend": Expected("", "deno task dev", 8000)},
    ),
    "a page and its server in one package": (
        {
            "package.json": json.dumps(
                {
                    "scripts": {"dev": "vite", "server": "node server/index.js"},
                    "dependencies": {"express": "5"},
                    "devDependencies": {"vite": "7"},
                }
            ),
            "index.html": PAGE,
            "server/index.js": "app.listen(3001);\n",
        },
        {
            "backend": Expected("", "npm run server", 3001),
            "frontend": Expected("", f"npm run dev -- {VITE}", 5173, ("backend",)),
        },
    ),
    "a worker of arq beside FastAPI in src/": (
        {
            "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["fastapi", "uvicorn", "arq"]\n',
            "src/shop/__init__.py": "",
            "src/shop/main.py": f"from shop.jobs import send\n{FASTAPI}",
            "src/shop/jobs.py": "async def send(ctx): ...\n\nclass WorkerSettings:\n    functions = [send]\n",
        },
        {
            "redis": Expected("", None, 6379),
            "backend": Expected("", f"uvicorn --app-dir src shop.main:app {UVICORN}", 8000, ("redis",)),
            "worker": Expected("src", "arq shop.jobs.WorkerSettings", None, ("redis",)),
        },
    ),
}


def lay_out(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(project: Project) -> dict[str, Expected]:
    return {
        name: Expected(
            str(service.directory.relative_to(project.root)).removeprefix("."),
            service.command,
            service.port.preferred if service.port else None,
            service.depends_on,
        )
        for name, service in project.services.items()
    }


@pytest.mark.parametrize("name", SHAPES)
class TestARepository:
    def test_is_understood(self, root: Path, name: str) -> None:
        files, expected = SHAPES[name]
        lay_out(root, files)

        assert found(detect(root)) == expected

    def test_names_a_line_of_its_own_for_each_service(self, root: Path, name: str) -> None:
        files, expected = SHAPES[name]
        lay_out(root, files)

        evidence = detect(root).evidence

        assert evidence.keys() == expected.keys()
        for lines in evidence.values():
            assert lines
            for each in lines:
                assert files[each.file].splitlines()[each.line - 1 :][:1] in ([], [each.says]) or (
                    files[each.file].splitlines()[each.line - 1].strip() == each.says
                )

    def test_is_written_down_as_it_was_found(self, root: Path, name: str) -> None:
        lay_out(root, SHAPES[name][0])
        project = detect(root)

        (root / "devinit.toml").write_text(initial_toml(project))

        assert found(load(root)) == found(project)
        assert {each: service.ready for each, service in load(root).services.items()} == {
            each: service.ready for each, service in project.services.items()
        }
