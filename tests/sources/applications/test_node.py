from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devinit.config.detected import detect
from devinit.model.service import Service

Write = Callable[..., Path]
Package = Callable[..., Service]

VITE = "--host 127.0.0.1 --port ${PORT} --strictPort"


@pytest.fixture
def package(root: Path, write: Write) -> Package:
    """Return what is detected from the keys of frontend/package.json."""

    def detecting(dev: str = "vite", **keys: Any) -> Service:
        write("frontend/package.json", json.dumps({"scripts": {"dev": dev}, **keys}))
        return detect(root).services["frontend"]

    return detecting


class TestAFrontend:
    def test_runs_in_its_folder_on_the_port_of_its_server(self, package: Package, root: Path) -> None:
        service = package()

        assert service.port is not None
        assert (service.directory, service.port.preferred) == (root / "frontend", 5173)

    def test_waits_for_the_backend(self, package: Package, write: Write) -> None:
        write("backend/main.py", "app = FastAPI()\n")

        assert package().depends_on == ("backend",)

    def test_waits_for_nothing_when_there_is_no_backend(self, package: Package) -> None:
        assert package().depends_on == ()


class TestAScript:
    @pytest.mark.parametrize(
        "script", ["vite", "vite dev --open", "tsc -b && vite", "cross-env DEBUG=1 vite", "vite 2>&1"]
    )
    def test_that_runs_vite_is_told_port_and_address(self, package: Package, script: str) -> None:
        assert package(script).command == f"npm run dev -- {VITE}"

    def test_that_runs_next_is_told_the_port(self, package: Package) -> None:
        service = package("next dev --turbo")

        assert service.command == "npm run dev -- --port ${PORT}"
        assert service.warm == "/"

    @pytest.mark.parametrize(
        "script",
        ["react-scripts start", "node server.js", "vite build && node server.js"],
    )
    def test_of_another_kind_reads_its_port_from_the_environment(self, package: Package, script: str) -> None:
        assert package(script).command == "npm run dev"

    @pytest.mark.parametrize("script", ["vite build --watch", "tsc -w", "tsup --watch", "rollup -c -w"])
    def test_that_only_builds_starts_no_server(self, root: Path, write: Write, script: str) -> None:
        write("frontend/package.json", json.dumps({"scripts": {"dev": script}}))

        assert detect(root).services == {}

    @pytest.mark.parametrize("script", ["concurrently vite 'tsc -w'", "tsc -w & vite", "turbo dev"])
    def test_that_starts_several_programs_is_left_as_it_is_and_noted(
        self, package: Package, root: Path, script: str
    ) -> None:
        assert package(script).command == "npm run dev"
        assert f"frontend/: its script starts several programs ({script})" in detect(root).notes[0]

    def test_may_be_named_start(self, root: Path, write: Write) -> None:
        write("frontend/package.json", '{"scripts": {"start": "react-scripts start"}}')

        assert detect(root).services["frontend"].command == "npm run start"

    @pytest.mark.parametrize("text", ["", "[]", '{"scripts": []}', '{"scripts": {"build": "vite build"}}'])
    def test_that_is_missing_is_noted(self, root: Path, write: Write, text: str) -> None:
        write("frontend/package.json", text)

        project = detect(root)

        assert project.services == {}
        assert project.notes == ("frontend/: no package.json with a dev or start script was found",)

    def test_that_only_runs_another_one_is_passed_over_for_that(self, package: Package) -> None:
        scripts = {"dev": "npm run web", "web": "next dev"}

        assert package(scripts=scripts).command == "npm run web -- --port ${PORT}"


class TestAPort:
    @pytest.mark.parametrize(
        ("script", "command", "port", "strict"),
        [
            ("vite --port 3005", f"npm run dev -- {VITE}", 3005, False),
            ("next dev -p 3005", "npm run dev -- --port ${PORT}", 3005, False),
            ("astro dev --port 3005", "npm run dev", 3005, True),
            ("PORT=3005 react-scripts start", "npm run dev", 3005, True),
            ("vite | tee log", "npm run dev", 5173, True),
            ("sanity dev", "npm run dev -- --host 127.0.0.1 --port ${PORT}", 3333, False),
        ],
    )
    def test_in_the_script_wins(
        self, package: Package, *, script: str, command: str, port: int, strict: bool
    ) -> None:
        service = package(script)

        assert service.port is not None
        assert (service.command, service.port.preferred, service.port.strict) == (command, port, strict)

    @pytest.mark.parametrize(
        ("script", "file", "text"),
        [
            (
                "vite",
                "vite.config.ts",
                "export default { plugins: [react()], server: { host: true, port: 3210 } }",
            ),
            ("astro dev", "astro.config.mjs", "export default { server: { port: 3210 } }"),
            ("ng serve", "angular.json", '{"options": {"port": 3210}}'),
            ("vue-cli-service serve", "vue.config.js", "module.exports = { devServer: { port: 3210 } }"),
            (
                "vite",
                "vite.config.js",
                "const port = process.env.VITE_PORT || 3210; export default { server: { open: true, port } }",
            ),
            (
                "webpack serve --config tools/webpack.dev.js",
                "tools/webpack.dev.js",
                "const devPort = 3210; module.exports = { devServer: { hot: true, port: devPort, proxy: {} } }",
            ),
            ("webpack-dev-server --config=./dev.js", "dev.js", "module.exports = {devServer: {port: 3210}}"),
        ],
    )
    def test_in_the_configuration_of_the_server_wins_over_the_usual_one(
        self, root: Path, package: Package, write: Write, *, script: str, file: str, text: str
    ) -> None:
        write(f"frontend/{file}", text)

        service = package(script)

        assert service.port is not None
        assert (service.port.preferred, service.port.strict) == (3210, False)
        assert f"frontend/{file}, line 1" in [each.place for each in detect(root).evidence["frontend"]]

    @pytest.mark.parametrize(
        ("source", "port", "strict", "variables"),
        [
            ("app.listen(process.env.PORT || 4000)", 4000, False, ()),
            ("const port = Number(process.env.PORT ?? 4000)\napp.listen(port)", 4000, False, ()),
            (
                "const { API_PORT } = process.env\napp.listen(process.env.API_PORT ?? '4000')",
                4000,
                False,
                ("API_PORT",),
            ),
            ("serve({ fetch: app.fetch, port: 4000 })", 4000, True, ()),
            ("const PORT = 4000;\napp.listen(PORT)", 4000, True, ()),
            ("app.listen(4000, () => {})", 4000, True, ()),
            (
                "const env = z.object({ PORT: z.coerce.number().default(4000) })\napp.listen(env.PORT)",
                4000,
                False,
                (),
            ),
            ("app.listen(process.env.PORT)", 8000, False, ()),
            ("// app.listen(4000)\napp.listen(port)", 8000, False, ()),
            ("connect(process.env.DB_PORT || 5432)\napp.listen(port)", 8000, False, ()),
        ],
    )
    def test_of_a_server_of_ones_own_is_the_one_in_its_code(
        self, root: Path, write: Write, *, source: str, port: int, strict: bool, variables: tuple[str, ...]
    ) -> None:
        write(
            "api/package.json",
            '{"scripts": {"dev": "tsx watch src/index.ts"}, "dependencies": {"express": "5"}}',
        )
        write("api/src/index.ts", source)

        service = detect(root).services["backend"]

        assert service.port is not None
        assert (service.port.preferred, service.port.strict, service.port_env) == (port, strict, variables)

    def test_that_is_a_constant_in_the_code_names_its_line(self, root: Path, write: Write) -> None:
        write("api/package.json", '{"scripts": {"dev": "node index.js"}}')
        write("api/index.js", "const app = express();\napp.listen(4000);\n")

        port = detect(root).services["backend"].port

        assert port is not None
        assert port.fixed_by == "api/index.js, line 2"

    def test_of_a_server_that_reads_it_without_a_default_is_the_one_in_its_env_file(
        self, root: Path, write: Write
    ) -> None:
        write("api/package.json", '{"scripts": {"dev": "node index.js"}}')
        write("api/index.js", "app.listen(process.env.PORT)")
        write("api/.env.example", "A=1\nPORT=4100\n")

        port = detect(root).services["backend"].port

        assert port is not None
        assert port.preferred == 4100


class TestAProgramOfNest:
    @pytest.mark.parametrize(
        ("text", "port"),
        [
            ("await NestFactory.createApplicationContext(Root);\n", None),
            ("await (await NestFactory.create(Root)).listen(process.env.PORT ?? 3005);\n", 3005),
        ],
        ids=["context", "server"],
    )
    def test_has_a_port_where_it_listens(self, root: Path, write: Write, text: str, port: int | None) -> None:
        described = {"scripts": {"start:dev": "nest start --watch"}, "dependencies": {"@nestjs/core": "11"}}
        write("package.json", json.dumps(described))
        write("src/main.ts", f'import {{ NestFactory }} from "@nestjs/core";\n{text}')

        [service] = detect(root).services.values()

        assert (service.port and service.port.preferred) == port


class TestAServerThatIsBuilt:
    def test_is_built_before_each_start(self, root: Path, write: Write) -> None:
        write("api/package.json", '{"scripts": {"build": "tsc", "start": "node dist/index.js"}}')
        write("api/src/index.ts", "app.listen(process.env.PORT)")

        assert detect(root).services["backend"].before_start == ("npm run build",)

    def test_brings_its_database_up_to_date_with_the_revisions_of_prisma(
        self, root: Path, write: Write
    ) -> None:
        write(
            "api/package.json",
            '{"scripts": {"dev": "node index.js"}, "dependencies": {"@prisma/client": "6"}}',
        )
        write("api/index.js", "app.listen(process.env.PORT)")
        write("api/prisma/schema.prisma", 'provider = "postgresql"\n')
        write("api/prisma/migrations/1_init/migration.sql")

        service = detect(root).services["backend"]

        assert service.before_start == ("npx --no-install prisma migrate deploy",)
        assert service.depends_on == ("postgres",)

    def test_whose_script_starts_several_programs_is_brought_up_to_date_as_well(
        self, root: Path, write: Write
    ) -> None:
        write(
            "server/package.json",
            '{"scripts": {"dev": "concurrently a b"}, "dependencies": {"express": "5", "prisma": "6"}}',
        )
        write("server/prisma/schema.prisma", 'provider = "postgresql"\n')
        write("server/prisma/migrations/1_init/migration.sql")

        assert detect(root).services["backend"].before_start == ("npx --no-install prisma migrate deploy",)

    @pytest.mark.parametrize(
        ("config", "journal", "commands"),
        [
            ('out: "./drizzle", dialect: "postgresql"', "drizzle/meta/_journal.json", ("npx --no-install drizzle-kit migrate",)),
            ('dialect: "sqlite"', "drizzle/meta/_journal.json", ("npx --no-install drizzle-kit migrate",)),
            ('out: "db/out"', "db/out/meta/_journal.json", ("npx --no-install drizzle-kit migrate",)),
            ('out: "db/out"', "drizzle/meta/_journal.json", ()),
            ('dialect: "sqlite", driver: "d1-http"', "drizzle/meta/_journal.json", ()),
        ],
    )  # fmt: skip
    def test_applies_the_migrations_that_drizzle_has_recorded(
        self, root: Path, write: Write, config: str, journal: str, commands: tuple[str, ...]
    ) -> None:
        write(
            "api/package.json",
            '{"scripts": {"dev": "node index.js"}, "devDependencies": {"drizzle-kit": "0.31"}}',
        )
        write("api/index.js", "app.listen(process.env.PORT)")
        write("api/drizzle.config.ts", f"export default {{ {config} }}")
        write(f"api/{journal}", "{}")

        assert detect(root).services["backend"].before_start == commands

    @pytest.mark.parametrize(
        ("scripts", "expected"),
        [
            ('"db:migrate": "dotenv -- knex migrate:latest"', "npm run db:migrate"),
            ('"migrate:production": "knex migrate:latest"', "npx --no-install knex migrate:latest"),
            ('"migrate": "knex migrate:latest --env staging"', "npx --no-install knex migrate:latest"),
        ],
    )
    def test_prefers_the_script_that_migrates_the_database_of_development(
        self, root: Path, write: Write, scripts: str, expected: str
    ) -> None:
        write(
            "api/package.json",
            f'{{"scripts": {{"dev": "node index.js", {scripts}}}, "dependencies": {{"knex": "3"}}}}',
        )
        write("api/index.js", "require('http').createServer().listen(process.env.PORT)\n")
        write("api/knexfile.js", "module.exports = {}\n")
        write("api/migrations/1_first.js", "")

        assert detect(root).services["backend"].before_start == (expected,)

    @pytest.mark.parametrize(
        ("schema", "stated"),
        [("prisma/schema.prisma", ""), ("schema.prisma", ""), ("src/db.prisma", '"prisma": {"schema": "src/db.prisma"},')],
    )  # fmt: skip
    def test_applies_the_migrations_of_the_package_that_it_uses(
        self, root: Path, write: Write, schema: str, stated: str
    ) -> None:
        workspace(write, schema, stated)
        write(str(Path("packages/db", schema).parent / "migrations/1_init/migration.sql"))

        services = detect(root).services

        migrate = "cd ../../packages/db && pnpm exec prisma migrate deploy"
        assert services["backend"].before_start == (migrate,)
        assert services["frontend"].before_start == ()

    def test_without_migrations_says_how_its_tables_are_made(self, root: Path, write: Write) -> None:
        workspace(write, "prisma/schema.prisma", "")

        notes = detect(root).notes

        made = "`pnpm exec prisma db push` in its folder makes its tables"
        assert f"packages/db/prisma/schema.prisma: it has no migrations; {made}" in notes

    @pytest.mark.parametrize(
        "script", ["migrate", "db:migrate", "migrations:run", "db:push", "migration-run"]
    )
    def test_says_which_script_changes_its_schema(self, root: Path, write: Write, script: str) -> None:
        scripts = {"dev": "nest start --watch", script: "typeorm-ts-node-commonjs migration:run"}
        write("api/package.json", json.dumps({"scripts": scripts, "dependencies": {"pg": "8"}}))

        [note] = [each for each in detect(root).notes if "changes the schema" in each]

        assert f"`npm run {script}`" in note

    @pytest.mark.parametrize(
        "script", ["migrate:create", "db:reset", "migration:revert", "push", "db:generate"]
    )
    def test_says_nothing_of_scripts_that_do_something_else(
        self, root: Path, write: Write, script: str
    ) -> None:
        scripts = {"dev": "nest start --watch", script: "something"}
        write("api/package.json", json.dumps({"scripts": scripts, "dependencies": {"pg": "8"}}))

        assert not [each for each in detect(root).notes if "changes the schema" in each]

    @pytest.mark.parametrize("provider", ["prisma-client-js", "prisma-client"])
    def test_says_that_the_client_of_prisma_has_to_be_written(
        self, root: Path, write: Write, provider: str
    ) -> None:
        workspace(write, "prisma/schema.prisma", "")
        schema = f'generator client {{\n  provider = "{provider}"\n  output = "../src/generated"\n}}\n'
        write("packages/db/prisma/schema.prisma", schema + 'provider = "postgresql"\n')

        [note] = [each for each in detect(root).notes if "client of Prisma" in each]
        write("packages/db/src/generated/index.ts")

        assert note.endswith(
            "packages/db/src/generated, the client of Prisma, is missing; "
            "`cd packages/db && pnpm exec prisma generate` makes it"
        )
        assert not [each for each in detect(root).notes if "client of Prisma" in each]


def workspace(write: Write, schema: str, stated: str) -> None:
    """Two applications that use the database package of their workspace, directly and through another one."""
    write("pnpm-workspace.yaml", "packages:\n  - apps/*\n  - packages/*\n")
    write("package.json", '{"packageManager": "pnpm@9.0.0"}')
    for name, dev, need in (("api", "nest start --watch", "trpc"), ("web", "next dev", "db")):
        write(
            f"apps/{name}/package.json",
            json.dumps(
                {"name": name, "scripts": {"dev": dev}, "dependencies": {f"@shop/{need}": "workspace:*"}}
            ),
        )
    write("packages/trpc/package.json", '{"name": "@shop/trpc", "dependencies": {"@shop/db": "workspace:*"}}')
    write("packages/db/package.json", f'{{{stated} "name": "@shop/db", "dependencies": {{"prisma": "6"}}}}')
    write(f"packages/db/{schema}", 'provider = "postgresql"\n')


class TestWhatIsNoServer:
    def test_is_an_mcp_server_on_standard_input(self, root: Path, write: Write) -> None:
        write(
            "tools/mcp/package.json",
            '{"scripts": {"dev": "tsx watch src/index.ts"}, "dependencies": {"express": "5"}}',
        )
        write("tools/mcp/src/index.ts", "await server.connect(new StdioServerTransport())")
        write("tools/mcp/src/http.ts", "app.listen(3939)")

        project = detect(root)

        assert project.services == {}
        assert "tools/mcp/: an MCP server is started by those who use it" in project.notes

    def test_is_no_folder_whose_file_the_root_runs(self, root: Path, write: Write) -> None:
        write("package.json", '{"scripts": {"dev": "nodemon backend/server.js"}}')
        write("backend/server.js", "app.listen(process.env.PORT || 8080)")

        project = detect(root)

        assert list(project.services) == ["backend"]
        assert not [each for each in project.notes if each.startswith("backend/")]


class TestAPage:
    def test_is_ready_when_it_answers_below_500(self, package: Package) -> None:
        ready = package().ready

        assert ready.http == "/"
        assert {200, 302, 404, 499} < {*ready.status}
        assert 500 not in ready.status


class TestAPackageManager:
    def test_is_npm_unless_something_says_otherwise(self, package: Package) -> None:
        assert package().command == f"npm run dev -- {VITE}"

    @pytest.mark.parametrize("manager", ["pnpm", "yarn", "bun"])
    def test_that_package_json_names_gets_flags_without_dashes(self, package: Package, manager: str) -> None:
        assert package(packageManager=f"{manager}@9.1.0").command == f"{manager} run dev {VITE}"

    @pytest.mark.parametrize(
        ("lock_file", "manager"),
        [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun")],
    )
    @pytest.mark.parametrize("folder", ["frontend/", ""])
    def test_is_the_one_that_wrote_the_lock_file(
        self, package: Package, write: Write, lock_file: str, manager: str, folder: str
    ) -> None:
        write(f"{folder}{lock_file}")

        assert package().command == f"{manager} run dev {VITE}"

    def test_is_named_rather_than_guessed(self, package: Package, write: Write) -> None:
        write("frontend/yarn.lock")

        assert package(packageManager="pnpm@9").command == f"pnpm run dev {VITE}"

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("pnpm-workspace.yaml", "packages:\n  # all\n  - 'front*'\n  - \"!backend\"\n"),
            ("package.json", '{"workspaces": ["front*"]}'),
            ("package.json", '{"workspaces": {"packages": ["**"]}}'),
        ],
    )
    @pytest.mark.usefixtures("have")
    def test_of_a_workspace_is_that_of_its_root(
        self, root: Path, package: Package, write: Write, file: str, text: str
    ) -> None:
        write(file, text)
        write("pnpm-lock.yaml")
        write("frontend/package-lock.json")

        assert package(dependencies={"vite": "7"}).command == f"pnpm run dev {VITE}"
        assert detect(root).notes == ("frontend/: node_modules is missing; `pnpm install` makes it",)

    @pytest.mark.parametrize(
        "text",
        ["packages:\n  - 'apps/*'\n", "packages:\n  - '*'\n  - '!frontend'\n", "catalog:\n  - frontend\n"],
    )
    def test_of_a_workspace_is_none_of_a_package_outside_of_it(
        self, package: Package, write: Write, text: str
    ) -> None:
        write("pnpm-workspace.yaml", text)
        write("pnpm-lock.yaml")
        write("frontend/package-lock.json")

        assert package().command == f"npm run dev -- {VITE}"

    def test_of_the_folder_goes_before_that_of_the_root(self, package: Package, write: Write) -> None:
        write("package.json", '{"packageManager": "yarn@4"}')
        write("frontend/package-lock.json")

        assert package().command == f"npm run dev -- {VITE}"


@pytest.mark.usefixtures("have")
class TestMissingPackages:
    def test_are_installed_by_npm_where_their_manager_is_missing(
        self, package: Package, root: Path, have: Path
    ) -> None:
        (have / "pnpm").unlink()
        package(packageManager="pnpm@9.15.0")

        (note,) = detect(root).notes

        assert "`cd frontend && npx --yes pnpm@9.15.0 install`" in note

    def test_are_noted_with_the_command_that_installs_them(self, package: Package, root: Path) -> None:
        package(packageManager="pnpm@9")

        assert detect(root).notes == (
            "frontend/: node_modules is missing; `cd frontend && pnpm install` makes it",
        )

    @pytest.mark.parametrize("place", ["frontend/node_modules", "node_modules", "frontend/.pnp.cjs"])
    def test_are_not_noted_when_they_are_there(
        self, package: Package, root: Path, write: Write, place: str
    ) -> None:
        write(f"{place}/x")
        package()

        assert detect(root).notes == ()


class TestABackendInNode:
    def test_runs_its_script_on_port_8000(self, root: Path, write: Write) -> None:
        write(
            "backend/package.json", '{"scripts": {"dev": "tsx watch server.ts"}, "dependencies": {"pg": "8"}}'
        )

        service = detect(root).services["backend"]

        assert service.port is not None
        assert (service.command, service.port.preferred) == ("npm run dev", 8000)
        assert service.depends_on == ("postgres",)

    def test_is_passed_over_for_a_python_application(self, root: Path, write: Write) -> None:
        write("backend/package.json", '{"scripts": {"dev": "tailwind --watch"}}')
        write("backend/main.py", "app = FastAPI()\n")

        command = detect(root).services["backend"].command

        assert command is not None
        assert command.startswith("uvicorn ")


class TestAMigration:
    @pytest.fixture
    def migrating(self, root: Path, write: Write) -> Callable[..., tuple[str, ...]]:
        def found(**scripts: str) -> tuple[str, ...]:
            packages = {"express": "^4", "knex": "^3", "pg": "^8"}
            text = json.dumps({"scripts": {"dev": "node server.js", **scripts}, "dependencies": packages})
            write("package.json", text)
            write("server.js", "require('express')().listen(process.env.PORT)\n")
            write("knexfile.js", "module.exports = {}\n")
            write("migrations/1_first.js", "exports.up = () => {}\n")
            (service,) = (each for each in detect(root).services.values() if each.command)
            return service.before_start

        return found

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("migrate:prod", "knex migrate:latest"),
            ("migrate:staging", "knex migrate:latest"),
            ("migrate:deploy", "knex migrate:latest --env production"),
            ("migrate:all", "dotenv -e .env.production -- knex migrate:latest"),
            ("migrate:all", "NODE_ENV=production knex migrate:latest"),
            ("migrate:all", "cross-env DATABASE_URL=postgresql://a:b@db.example.com/c knex migrate:latest"),
            ("migrate:all", "DB_HOST=db.example.com knex migrate:latest"),
            ("migrate:all", "env-cmd -f .env.remote knex migrate:latest"),
        ],
    )
    def test_of_another_surrounding_is_not_run(
        self, migrating: Callable[..., tuple[str, ...]], name: str, text: str
    ) -> None:
        assert migrating(**{name: text, "migrate": "knex migrate:latest"}) == ("npm run migrate",)
        assert migrating(**{name: text}) == ("npx --no-install knex migrate:latest",)

    @pytest.mark.parametrize(
        "text",
        [
            "knex migrate:latest",
            "NODE_ENV=development knex migrate:latest",
            "dotenv -e .env.local -- knex migrate:latest",
            "NODE_OPTIONS=--no-warnings knex migrate:latest",
        ],
    )
    def test_of_development_is_run_by_its_script(
        self, migrating: Callable[..., tuple[str, ...]], text: str
    ) -> None:
        assert migrating(migrate=text) == ("npm run migrate",)
