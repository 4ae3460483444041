"""Specifies which services cannot move: those whose address the code of the repository has as a constant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.config.detected import detect
from devinit.config.load import load
from devinit.model.service import Project
from devinit.sources.fixed.reading import constants
from devinit.system.bounds import bounds_of

Tree = Callable[..., Path]

BACKEND = "from fastapi import FastAPI\napp = FastAPI()\n"
PACKAGE = json.dumps({"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}})


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write a FastAPI backend and a Vite frontend, and more files."""

    def write(files: dict[str, str] | None = None) -> Path:
        base = {
            "backend/main.py": BACKEND,
            "frontend/package.json": PACKAGE,
            "frontend/index.html": "<html></html>",
        }
        for name, text in {**base, **(files or {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def fixed(project: Project) -> dict[str, tuple[int, str]]:
    """Return the services that cannot move: name → port and the line that says so."""
    return {
        name: (each.port.preferred, each.port.fixed_by)
        for name, each in project.services.items()
        if each.port is not None and each.port.strict
    }


CALLS = {
    "a proxy of Vite": ("frontend/vite.config.ts", "proxy: {\n '/api': 'http://localhost:8000',\n}", 2),
    "a proxy with a target": ("frontend/vite.config.js", "'/api': {\n target: 'http://127.0.0.1:8000' }", 2),
    "a rewrite of Next": ("frontend/next.config.mjs", "destination: 'http://localhost:8000/:path*'", 1),
    "a proxy of Angular": ("frontend/proxy.conf.json", '{"/api": {"target": "http://localhost:8000"}}', 1),
    "axios": (
        "frontend/src/api.ts",
        "import axios\nexport default axios.create({baseURL: 'http://localhost:8000/api/v1'})",
        2,
    ),
    "fetch": ("frontend/src/App.tsx", "const r = await fetch(`http://localhost:8000/items/${id}`)", 1),
    "a socket": ("frontend/src/live.js", 'const s = new WebSocket("ws://localhost:8000/ws")', 1),
    "a target with a name": (
        "frontend/vite.config.ts",
        "const backendTarget = 'http://localhost:8000'\nproxy: { '/api': backendTarget }",
        1,
    ),
    "a rewrite in development": (
        "frontend/next.config.js",
        'destination:\n  process.env.NODE_ENV === "development"\n    ? "http://localhost:8000/api"\n    : "/api/",',
        3,
    ),
    "a variable that is built in": (
        "frontend/next.config.js",
        'env: {\n NEXT_PUBLIC_API: "http://localhost:8000" }',
        2,
    ),
    "a choice by the mode": (
        "frontend/src/data.ts",
        "export const url_main = import.meta.env.DEV\n    ? 'http://localhost:8000'\n    : location.origin",
        2,
    ),
    "a choice of a built program": (
        "frontend/src/api.js",
        "const apiUrl = process.env.NODE_ENV === 'production' ? process.env.URL : 'http://localhost:8000'",
        1,
    ),
    "a choice that is no default": (
        "frontend/src/config.js",
        (
            "export const API_BASE_URL =\n  import.meta.env.PROD || import.meta.env.VITE_REMOTE == 'yes'\n"
            "    ? import.meta.env.VITE_BACKEND + 'api/'\n    : 'http://localhost:8000/api/';"
        ),
        4,
    ),
    "a proxy that may be remote": (
        "frontend/vite.config.js",
        (
            "const proxy_url =\n  process.env.VITE_REMOTE === 'yes'\n    ? process.env.VITE_BACKEND\n"
            "    : 'http://localhost:8000/';\nexport default { server: { proxy: { '/api': { target: proxy_url } } } }"
        ),
        4,
    ),
    "a choice by where the page is": (
        "frontend/src/socket.js",
        (
            "export const SOCKET_URL =\n  window.location.host.indexOf('localhost') >= 0\n"
            "    ? 'http://127.0.0.1:8000'\n    : window.location.host;"
        ),
        3,
    ),
    "a port with a name": (
        "frontend/dev.config.js",
        "const apiPort = 8000;\nconst API_SERVER_URL = `http://localhost:${apiPort}`;",
        2,
    ),
    "a field of a class": ("frontend/src/auth.ts", "  private apiUrl = 'http://localhost:8000/api';", 1),
    "a client of Angular": (
        "frontend/src/app/auth.service.ts",
        "    return this.http.post<Login[]>('http://localhost:8000/api/login', data);",
        1,
    ),
    "the host of the page": (
        "frontend/src/lib/constants.ts",
        "export const API_HOST = dev ? `${location.hostname}:8000` : ''",
        1,
    ),
    "the host of the page and a port behind it": (
        "frontend/src/live.ts",
        "const api = 'http://' + window.location.hostname + ':8000/api'",
        1,
    ),
    "a proxy to a number with a name": (
        "frontend/proxy.config.mjs",
        "const backendPort = 8000;\nexport default {\n  '^/api': { target: `http://localhost:${backendPort}` },\n}",
        3,
    ),
    "a component": (
        "frontend/src/App.vue",
        "<script>\nconst API_URL = 'http://localhost:8000'\n</script>",
        2,
    ),
}


class TestAClient:
    @pytest.mark.parametrize(("name", "text", "line"), CALLS.values(), ids=CALLS)
    def test_keeps_the_server_that_it_calls_where_it_is(
        self, tree: Tree, name: str, text: str, line: int
    ) -> None:
        project = detect(tree({name: text}))

        assert fixed(project) == {"backend": (8000, f"{name}, line {line}")}

    def test_of_a_create_react_app_names_it_in_its_package(self, tree: Tree) -> None:
        package = {"scripts": {"start": "react-scripts start"}, "proxy": "http://localhost:8000"}

        project = detect(tree({"frontend/package.json": json.dumps(package, indent=1)}))

        assert fixed(project)["backend"] == (8000, "frontend/package.json, line 5")

    def test_says_on_which_port_the_only_server_has_to_be(self, tree: Tree) -> None:
        project = detect(tree({"frontend/src/api.ts": "const API_URL = 'http://localhost:8080'"}))

        assert fixed(project) == {"backend": (8080, "frontend/src/api.ts, line 1")}
        places = [each.place for each in project.evidence["backend"] if each.about == "port"]
        assert places == ["frontend/src/api.ts, line 1"]

    @pytest.mark.parametrize(
        ("listens", "proxies", "expected"),
        [
            ("process.env.PORT || 5001", "'/api': 'http://localhost:5000'", 5000),
            (
                "process.env.PORT || 5001",
                "'/a': 'http://localhost:5000', '/b': 'http://localhost:9200'",
                None,
            ),
            (
                "process.env.PORT || 5001",
                "'/a': 'http://localhost:5001', '/b': 'http://localhost:9200'",
                5001,
            ),
            ("5001", "'/api': 'http://localhost:5000'", 5001),
        ],
        ids=["a default", "two places", "one that answers", "a constant"],
    )
    def test_that_proxies_to_one_port_moves_the_default_of_the_only_server_there(
        self, tree: Tree, listens: str, proxies: str, expected: int | None
    ) -> None:
        files = {
            "backend/main.py": "",
            "backend/package.json": '{"scripts": {"dev": "node index.js"}, "dependencies": {"express": "5"}}',
            "backend/index.js": f"require('express')().listen({listens})\n",
            "frontend/vite.config.ts": f"export default {{ server: {{ proxy: {{ {proxies} }} }} }}",
        }

        found = fixed(detect(tree(files)))

        assert found.get("backend", (None,))[0] == expected

    def test_of_something_else_is_named(self, tree: Tree) -> None:
        calls = "const API_URL = 'http://localhost:8000'\nconst r = fetch('http://localhost:9200/search')\n"

        project = detect(tree({"frontend/src/api.ts": calls}))

        assert (
            "frontend/src/api.ts, line 2 calls localhost:9200, where no service of the project answers, and "
            "frontend/src/api.ts, line 1 calls 8000"
        ) in project.notes

    @pytest.mark.parametrize(
        "text",
        [
            "const API_URL = import.meta.env.VITE_API_URL ?? 'http://localhost:8000'",
            "const API_URL = process.env.API_URL || 'http://localhost:8000'",
            "const API_URL = env.VITE_API_URL ||\n  'http://localhost:8000'",
            "// fetch('http://localhost:8000')",
            "const url = process.env.API_URL ? process.env.API_URL : 'http://localhost:8000'",
            "const url = import.meta.env.VITE_MOCKED ? '/mocks' : 'http://localhost:8000'",
            "const API_URL = z.string().default('http://localhost:8000')",
            "const DEFAULT_BASE_URL = 'http://localhost:8000'",
            "const text = 'see http://localhost:8000'",
        ],
    )
    def test_with_a_default_or_a_comment_keeps_no_server(self, tree: Tree, text: str) -> None:
        assert fixed(detect(tree({"frontend/src/api.ts": text}))) == {}

    @pytest.mark.parametrize(
        "name", ["src/api.test.ts", "e2e/login.ts", "cypress/a.js", "scripts/seed.mjs", "src/mocks/api.ts"]
    )
    def test_in_a_test_or_a_tool_keeps_no_server(self, tree: Tree, name: str) -> None:
        text = "fetch('http://localhost:8000')"

        assert fixed(detect(tree({f"frontend/{name}": text}))) == {}

    def test_out_of_the_repository_is_not_read(
        self, tree: Tree, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = tmp_path_factory.mktemp("other") / "api.ts"
        other.write_text("fetch('http://localhost:8000')")
        root = tree()
        (root / "frontend/api.ts").symlink_to(other)

        assert fixed(detect(root)) == {}


class TestAListOfOrigins:
    @pytest.mark.parametrize(
        "text",
        [
            'origins = ["http://localhost:{port}"]\n',
            'app.add_middleware(X, allow_origins=["http://localhost:{port}", "http://127.0.0.1:{port}"])\n',
            'CORS_ALLOWED_ORIGINS = ["http://localhost:{port}/"]\n',
            'CSRF_TRUSTED_ORIGINS: list[str] = ["http://localhost:{port}"]\n',
        ],
    )
    def test_keeps_the_pages_that_it_lets_in(self, tree: Tree, text: str) -> None:
        root = tree()
        frontend = detect(root).services["frontend"].port
        assert frontend
        (root / "backend/main.py").write_text(BACKEND + text.replace("{port}", str(frontend.preferred)))

        assert fixed(detect(root)) == {"frontend": (frontend.preferred, "backend/main.py, line 3")}

    @pytest.mark.parametrize(
        "text",
        [
            'ORIGINS = os.environ.get("ORIGINS", "http://localhost:{port}").split(",")\n',
            'ORIGINS = env.list("ORIGINS", default=["http://localhost:{port}"])\n',
            'class Settings(BaseSettings):\n    cors_origins: list[str] = ["http://localhost:{port}"]\n',
            'origins = ["http://localhost:4999"]\n',
            'origins = ["https://shop.example.com"]\n',
            '# origins = ["http://localhost:{port}"]\n',
        ],
    )
    def test_from_the_environment_keeps_none(self, tree: Tree, text: str) -> None:
        root = tree()
        frontend = detect(root).services["frontend"].port
        assert frontend
        (root / "backend/main.py").write_text(BACKEND + text.replace("{port}", str(frontend.preferred)))

        assert fixed(detect(root)) == {}

    def test_that_a_property_of_the_settings_returns_keeps_them_too(self, tree: Tree) -> None:
        text = (
            "class Settings(BaseSettings):\n    env: str = 'dev'\n\n    @property\n    def cors_origins(self) -> list[str]:\n"
            "        return ['http://localhost:5173', 'http://localhost:3000']\n"
        )
        root = tree({"backend/config.py": text})

        assert fixed(detect(root)) == {"frontend": (5173, "backend/config.py, line 6")}

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("app.js", "app.use(cors({\n  origin: 'http://localhost:5173',\n  credentials: true }))\n"),
            ("app.ts", "\nconst allowedOrigins = ['https://a.example', 'http://localhost:5173'];\n"),
            (
                "main.ts",
                "app.enableCors({\n  origin: ['http://localhost:5173', 'http://localhost:3000'] });\n",
            ),
            ("io.js", "new Server(http, {\n  cors: { origin: 'http://localhost:5173' } })\n"),
            ("head.js", "\nres.setHeader('Access-Control-Allow-Origin', 'http://localhost:5173')\n"),
            (
                "src/main/java/com/example/shop/web/Cors.java",
                '\nregistry.allowedOrigins("http://localhost:5173")\n',
            ),
            ("C.java", '\n@CrossOrigin(origins = "http://localhost:5173")\n'),
            ("D.kt", '\nconfig.setAllowedOrigins(List.of("http://localhost:5173"));\n'),
            ("Program.cs", '\npolicy.WithOrigins("http://localhost:5173")\n'),
            ("main.go", '\n\tAllowOrigins: []string{"http://localhost:5173"},\n'),
            ("fiber.go", '\n\tAllowOrigins: "http://127.0.0.1:3000, http://localhost:5173",\n'),
            ("plain.go", '\nw.Header().Set("Access-Control-Allow-Origin", "http://localhost:5173")\n'),
            ("cors.rb", "\n    origins 'localhost:5173'\n"),
            ("main.rs", '\n    .allowed_origin("http://localhost:5173")\n'),
            ("config/cors.php", "<?php return [\n    'allowed_origins' => ['http://localhost:5173'] ];\n"),
        ],
    )
    def test_in_any_language_keeps_them_too(self, tree: Tree, name: str, text: str) -> None:
        root = tree({f"backend/{name}": text})

        assert fixed(detect(root)) == {"frontend": (5173, f"backend/{name}, line 2")}

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("app.js", "app.use(cors({ origin: process.env.CLIENT_URL || 'http://localhost:5173' }))\n"),
            ("app.ts", "const allowedOrigins = ['http://localhost:5173', process.env.CLIENT_URL];\n"),
            ("b.ts", "app.enableCors({ origin: ['*', 'http://localhost:5173'] });\n"),
            ("c.ts", "// origin: 'http://localhost:5173'\n"),
            ("main.go", 'AllowOrigins: []string{os.Getenv("ORIGIN"), "http://localhost:5173"},\n'),
            ("cors.php", "'allowed_origins' => [env('URL', 'http://localhost:5173')],\n"),
            ("a.test.js", "cors({ origin: 'http://localhost:5173' })\n"),
        ],
    )
    def test_in_any_language_keeps_none_where_the_environment_adds_to_it(
        self, tree: Tree, name: str, text: str
    ) -> None:
        root = tree({f"backend/{name}": text})

        assert fixed(detect(root)) == {}


class TestTheNameOfAContainer:
    COMPOSE = (
        "services:\n  api:\n    build: ./backend\n    ports: ['8000:8000']\n  db:\n    image: postgres:17\n"
        "    ports: ['5500:5432']\n  web:\n    build: ./frontend\n    ports: ['5173:5173']\n"
    )

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("frontend/vite.config.js", "proxy: { '/api': 'http://api:8000' }"),
            ("frontend/src/api.js", "fetch('http://api:8000/items')"),
            (
                "frontend/package.json",
                json.dumps(
                    {"scripts": {"dev": "vite"}, "proxy": "http://api:8000", "devDependencies": {"vite": "6"}}
                ),
            ),
        ],
    )
    def test_that_a_page_calls_is_noted_with_the_address_of_here(
        self, tree: Tree, name: str, text: str
    ) -> None:
        project = detect(tree({"compose.yaml": self.COMPOSE, name: text}))

        assert (
            f"{name}, line 1 names api:8000, a host that only containers know; here backend is at localhost:8000: "
            "write that there, or `127.0.0.1 api` in /etc/hosts"
        ) in project.notes
        assert fixed(project) == {}

    def test_beside_the_same_port_of_this_machine_is_a_choice_between_both(self, tree: Tree) -> None:
        text = (
            "const server = existsSync('/.dockerenv')\n  ? 'http://api:8000'\n  : 'http://127.0.0.1:8000'\n"
            "export default { server: { proxy: { '/api': server } } }\n"
        )

        project = detect(tree({"compose.yaml": self.COMPOSE, "frontend/vite.config.js": text}))

        assert not [each for each in project.notes if "only containers know" in each]
        assert fixed(project) == {"backend": (8000, "frontend/vite.config.js, line 3")}

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("backend/db.py", 'URL = "postgresql://ada:x@db:5432/shop"\n'),
            (
                "backend/db.py",
                'D = {"ENGINE": "django.db.backends.postgresql", "HOST": "db", "PORT": 5432}\n',
            ),
            ("backend/db.go", 'dsn := "host=db user=ada password=x dbname=shop port=5432"\n'),
        ],
    )
    def test_of_a_database_is_noted_too(self, tree: Tree, name: str, text: str) -> None:
        project = detect(tree({"compose.yaml": self.COMPOSE, name: text}))

        assert (
            f"{name}, line 1 names db:5432, a host that only containers know; here postgres is at localhost:5500: "
            "write that there"
        ) in project.notes

    @pytest.mark.parametrize(
        "text",
        [
            "fetch(import.meta.env.VITE_API_URL ?? 'http://api:8000')",
            "fetch('http://api.example.com:8000')",
            "fetch('http://rapid:8000')",
            "// fetch('http://api:8000')",
        ],
    )
    def test_that_is_none_or_but_a_default_is_not(self, tree: Tree, text: str) -> None:
        project = detect(tree({"compose.yaml": self.COMPOSE, "frontend/src/api.js": text}))

        assert not any("containers" in note for note in project.notes)

    def test_without_a_compose_file_is_any_host(self, tree: Tree) -> None:
        project = detect(tree({"frontend/src/api.js": "fetch('http://api:8000/items')"}))

        assert not any("containers" in note for note in project.notes)


class TestACallWithoutAPort:
    @pytest.mark.parametrize(
        "text",
        [
            "const host = '//localhost/api'",
            "fetch('http://localhost/api')",
            "axios.get(`http://127.0.0.1/items`)",
        ],
    )
    def test_is_one_of_port_80_where_nothing_here_answers(self, tree: Tree, text: str) -> None:
        project = detect(tree({"frontend/src/api.js": text}))

        place = "frontend/src/api.js, line 1"
        assert f"{place} calls localhost:80, where no service of the project answers" in project.notes
        assert fixed(project) == {}

    @pytest.mark.parametrize(
        "text",
        [
            "new URL(request.url, 'http://localhost')",
            "fetch(process.env.API_URL || 'http://localhost/api')",
            "// fetch('http://localhost/api')",
            "fetch('//cdn.example.com/api')",
        ],
    )
    def test_is_none_in_a_default_or_a_base(self, tree: Tree, text: str) -> None:
        assert not any("localhost:80," in note for note in detect(tree({"frontend/src/api.js": text})).notes)


@pytest.mark.parametrize(("scheme", "count"), [("https", 1), ("http", 0)])
def test_a_proxy_over_tls_to_a_server_without_it_is_named(tree: Tree, scheme: str, count: int) -> None:
    proxy = f"proxy: {{\n '/api': {{\n target: '{scheme}://localhost:8000' }} }}"

    project = detect(tree({"frontend/vite.config.ts": proxy}))

    assert fixed(project)["backend"] == (8000, "frontend/vite.config.ts, line 3")
    assert sum("speaks TLS" in each for each in project.notes) == count


def test_a_proxy_of_a_page_never_leads_to_the_page_itself(tmp_path: Path) -> None:
    scripts = {"scripts": {"start": "react-scripts start"}, "proxy": "http://localhost:3000"}
    files = {
        "Procfile.dev": "web: npm run --prefix client start\napi: bundle exec rails server -p 3000\n",
        "Gemfile": "gem 'rails'\n",
        "bin/rails": "",
        "client/package.json": json.dumps({**scripts, "dependencies": {"react-scripts": "5"}}),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert list(fixed(detect(tmp_path))) == ["api"]


class TestADatabase:
    INI = "[alembic]\nscript_location = migrations\nsqlalchemy.url = postgresql://ada:x@localhost:5432/shop\n"

    def test_that_migrations_find_by_a_constant_is_noted(self, tree: Tree) -> None:
        ini = {"backend/alembic.ini": self.INI, "backend/requirements.txt": "asyncpg\n"}

        notes = detect(tree(ini)).notes

        [note] = [note for note in notes if "alembic.ini" in note]
        assert note == (
            "backend/alembic.ini, line 3 names the database on port 5432, and nothing tells it when postgres moves; "
            "`strict_port = true` in [services.postgres] of devinit.toml keeps it there"
        )

    def test_that_their_code_finds_is_not(self, tree: Tree) -> None:
        files = {
            "backend/alembic.ini": self.INI,
            "backend/requirements.txt": "asyncpg\n",
            "backend/migrations/env.py": 'config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])\n',
        }

        assert not any("alembic.ini" in note for note in detect(tree(files)).notes)

    def test_that_the_code_names_as_a_constant_is_noted_once_for_each(self, tree: Tree) -> None:
        files = {
            "backend/requirements.txt": "asyncpg\nredis\n",
            "backend/cache.py": 'r = redis.Redis(host="localhost", port=6379)\n',
            "backend/queue.py": 'q = redis.Redis(host="localhost", port=6379)\n',
        }

        notes = [note for note in detect(tree(files)).notes if "names the database" in note]

        assert notes == [
            (
                "backend/cache.py, line 1 names the database on port 6379, and nothing tells it when redis moves; "
                "`strict_port = true` in [services.redis] of devinit.toml keeps it there"
            )
        ]


def test_the_environment_of_angular_is_a_constant(tree: Tree) -> None:
    root = tree(
        {
            "frontend/src/environments/environment.ts": (
                "export const environment = { production: false, apiUrl: 'http://localhost:8000' };\n"
            )
        }
    )

    assert fixed(detect(root)) == {"backend": (8000, "frontend/src/environments/environment.ts, line 1")}


class TestUnderADevinitToml:
    def test_the_line_is_still_named(self, tree: Tree) -> None:
        root = tree({"frontend/src/api.ts": "const API_URL = 'http://localhost:8000'"})
        (root / "devinit.toml").write_text("[services.backend]\noptional = true\n")

        assert fixed(load(root)) == {"backend": (8000, "frontend/src/api.ts, line 1")}

    @pytest.mark.parametrize("text", ["port = 8001", "strict_port = false"])
    def test_the_file_knows_better(self, tree: Tree, text: str) -> None:
        root = tree({"frontend/src/api.ts": "const API_URL = 'http://localhost:8000'"})
        (root / "devinit.toml").write_text(f"[services.backend]\n{text}\n")

        assert fixed(load(root)) == {}


class TestAnyFile:
    @given(st.text() | st.sampled_from(["x = [" * 300, 'ORIGINS = ["http://localhost:1"]\r\x0c', "\\d" * 50]))
    def test_never_raises(self, text: str) -> None:
        with TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("a.py", "a.ts", "vite.config.ts", "package.json"):
                (root / name).write_text(text + "localhost:8000", errors="replace")

            found = [*constants(bounds_of(root), [root])]

            assert {each.evidence.file for each in found} <= {
                "a.py",
                "a.ts",
                "vite.config.ts",
                "package.json",
            }


def test_a_flood_of_text_is_not_parsed(tree: Tree) -> None:
    flood = "x = 1\n" * 60_000
    files = {f"backend/a{number}.py": f"ORIGINS = ['http://localhost:3000']\n{flood}" for number in range(9)}
    root = tree(files)

    found = [*constants(bounds_of(root), [root / "backend"])]

    assert 0 < len(found) < len(files)


class TestTwoServersOnOnePort:
    FILES = {  # noqa: RUF012 - not changed
        f"apps/{name}/{file}": text
        for name in ("admin", "shop")
        for file, text in {
            "package.json": '{"scripts": {"dev": "node index.js"}, "dependencies": {"express": "5"}}',
            "index.js": 'require("express")().listen(3999);\n',
        }.items()
    }

    def test_are_one_that_is_started_and_one_that_is_named(self, tmp_path: Path) -> None:
        for name, text in self.FILES.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

        project = detect(tmp_path)

        assert {name: port for name, (port, _) in fixed(project).items()} == {"admin": 3999}
        assert any(
            note.startswith("shop is left out: port 3999 is fixed, and admin has it")
            for note in project.notes
        )

    def test_are_both_started_where_devinit_toml_gives_the_second_one_a_port(self, tmp_path: Path) -> None:
        for name, text in self.FILES.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        (tmp_path / "devinit.toml").write_text("[services.shop]\nport = 4001\nstrict_port = false\n")

        assert {*load(tmp_path).services} == {"admin", "shop"}
