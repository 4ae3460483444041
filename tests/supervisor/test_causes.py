"""Specifies `devinit.supervisor.diagnosis.causes` by what real programs printed.

The files in `outputs` were recorded from the programs, with folders renamed. What could not be run is in
`DOCUMENTED`, as its documentation shows it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.supervisor.diagnosis.causes import cause_of, dying_by, ended_by, last_error_line, stuck_by

OUTPUTS = Path(__file__).parent / "outputs"

CAUSES = {
    "air-compile": "main.go:6:2: declared and not used: total",
    "air-compile-1.61": "main.go:3:26: undefined: undefinedThing",
    "air-fatal": "DATABASE_URL is missing",
    "alembic-heads": "Multiple head revisions are present for given argument 'head'; please specify a "
    "specific target revision, '<branchname>@head' to narrow to a specific head, or "
    "'heads' for all heads",
    "alembic-noconfig": "No 'script_location' key found in configuration.",
    "alembic-nodb": "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: "
    'connection to server at "127.0.0.1", port 23699 failed: Connection refused',
    "alembic-norev": "Can't locate revision identified by 'abc123'",
    "alembic-unknown": "Can't locate revision identified by 'deadbeef'",
    "bash-notfound": "nothing-there: command not found",
    "bundler-missing": "command not found: rackup",
    "bundler-nogemfile": "Could not locate Gemfile or .bundle/ directory",
    "bundler-ruby": "Your Ruby version is 3.1.2, but your Gemfile specified 9.9.9 "
    "(Bundler::RubyVersionMismatch)",
    "bundler-syntax": "/home/ada/shop/Gemfile:2: unterminated string meets end of file (SyntaxError)",
    "cargo-compile": "cannot find value `nothing_there` in this scope (src/main.rs:3:20)",
    "cargo-dep": "no matching package named `nothing-there-at-all-shop` found",
    "cargo-err": "ParseIntError { kind: InvalidDigit }",
    "cargo-expect": "index out of bounds: the len is 0 but the index is 3 (src/main.rs:5:25)",
    "cargo-lock": "failed to get `serde` as a dependency of package `shop v0.1.0 "
    "(/home/ada/shop/lock)`; cause: failed to read `/home/ada/shop/Cargo.toml`: No such "
    "file or directory (os error 2)",
    "cargo-nomanifest": "could not find `Cargo.toml` in `/home/ada/shop/nomanifest` or any parent directory",
    "cargo-panic": "DATABASE_URL must be set: NotPresent (src/main.rs:3:45)",
    "composer-json": '"./composer.json" does not contain valid JSON Parse error on line 1: '
    '...og/monolog":"^3.0"},} ----------------------^ Expected: \'STRING\' - It appears '
    "you have an extra trailing comma",
    "composer-nojson": "Composer could not find a composer.json file in /home/ada/shop/plat",
    "composer-platform": "Root composer.json requires php >=9.5 but your php version (8.2.36) does not "
    "satisfy that requirement.",
    "django-app": "ModuleNotFoundError: No module named 'blog'",
    "django-busy": "an address is in use",
    "django-migrate": "ModuleNotFoundError: No module named 'blog'",
    "django-nodb": "django.db.utils.OperationalError: connection failed: connection to server at "
    '"127.0.0.1", port 23699 failed: Connection refused',
    "django-noreload-busy": "an address is in use",
    "elixir-app": "(RuntimeError) environment variable DATABASE_URL is missing.",
    "elixir-compile": "(CompileError) lib/a.ex:3: undefined function nothing_there/1 (expected Shop to "
    "define such a function or for it to be imported, but none are available)",
    "elixir-deps": "Could not find Hex, which is needed to build dependency :jason",
    "elixir-nomix": '(Mix) Cannot execute "mix run" without a Mix.Project, please ensure you are running '
    "Mix in a directory with a mix.exs file or pass the --no-mix-exs option",
    "elixir-notask": '(Mix) The task "phx.server" could not be found',
    "elixir-raise": "(RuntimeError) DATABASE_URL is missing",
    "elixir-syntax": '(TokenMissingError) s.exs:2:1: missing terminator: " (for string starting at line 1)',
    "flask-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "go-compile": "main.go:6:2: declared and not used: total",
    "go-fatal": "DATABASE_URL is missing",
    "go-missing": "main.go:3:8: no required module provides package github.com/gin-gonic/gin; to add "
    "it: go get github.com/gin-gonic/gin",
    "go-nilmap": "runtime error: invalid memory address or nil pointer dereference",
    "go-nomod": "go.mod file not found in current directory or any parent directory; see 'go help modules'",
    "go-panic": "connect to database: dial tcp 127.0.0.1:5432: connect: connection refused",
    "go-slog-json": "cannot start server: config: DATABASE_URL is not set",
    "go-slog-text": "cannot start server: config: DATABASE_URL is not set",
    "go-toonew": "go.mod requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)",
    "go-zap": "cannot start server: config: DATABASE_URL is not set",
    "go-zap-console": "cannot start server: config: DATABASE_URL is not set",
    "go-zerolog": "cannot start server: config: DATABASE_URL is not set",
    "go-zerolog-console": "cannot start server: config: DATABASE_URL is not set",
    "gradle-compile": "/home/ada/shop/src/main/java/shop/App.java:2: error: incompatible types: String "
    "cannot be converted to int",
    "gradle-nobuild": "Task 'run' not found in root project 'nobuild'.",
    "gradle-run": "java.lang.IllegalStateException: DATABASE_URL is missing; cause: "
    "java.lang.RuntimeException: no such variable",
    "gradle-script": "Could not find method nothingThere() for arguments "
    "[build_98on5j6ov5jnzbi050s1sfj11$_run_closure1@64b018f3] on root project 'shop' of "
    "type org.gradle.api.Project.",
    "gunicorn-busy": "port 23690 is in use",
    "gunicorn-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "java-exception": "java.lang.IllegalStateException: DATABASE_URL is missing; cause: "
    "java.lang.RuntimeException: no such variable",
    "maven-compile": "/home/ada/shop/src/main/java/shop/App.java:[2,69] incompatible types: "
    "java.lang.String cannot be converted to int",
    "maven-dep": "Could not resolve dependencies for project shop:shop:jar:1: Could not find artifact "
    "org.nothing:there-shop:jar:1 in central (https://repo.maven.apache.org/maven2)",
    "maven-exec": "java.lang.IllegalStateException: DATABASE_URL is missing; cause: "
    "java.lang.RuntimeException: no such variable",
    "maven-nopom": "The goal you specified requires a project to execute but there is no POM in this "
    "directory (/home/ada/shop/nopom). Please verify you invoked Maven from the correct "
    "directory.",
    "next-module": "Module not found: Can't resolve './nothing-there' (app/page.js:1:1)",
    "node-busy": "port 23690 is in use",
    "node-cjs": "Cannot find module 'nothing-there'",
    "node-esm": "Cannot find package 'nothing-there' imported from /home/ada/shop/frontend/server.js",
    "node-nofile": "Cannot find module '/home/ada/shop/frontend/nofile.js'",
    "node-pino": "cannot start server: config: DATABASE_URL is not set",
    "next-config": "the secret is missing (next.config.mjs, line 2)",
    "node-syntax": "SyntaxError: Unexpected token '=' (syntax.cjs, line 1)",
    "vite-config-throws": "the secret is missing (vite.config.js)",
    "vite-config-syntax": 'Build failed with 1 error: vite.config.js:3:10: ERROR: Unexpected "="',
    "nest-ts": "src/main.ts:6:9 - error TS2322: Type 'string' is not assignable to type 'number'.",
    "node-watch": "Cannot find module 'nothing-there'",
    "node-winston": "cannot start server: DATABASE_URL is not set",
    "node-aggregate": "AggregateError: boot failed (c.mjs, line 1); cause: Error: db down",
    "node-cause": "cannot read config (a.mjs, line 1); cause: SyntaxError: Expected property name or '}' "
    "in JSON at position 1",
    "node-causes": "boot failed (e.mjs, line 1); cause: Error: connect refused",
    "node-cause-aggregate": "outer; cause: Error: connect ECONNREFUSED ::1:5432",
    "node-cause-none": "a failed",
    "node-cause-wordless": "Error; cause: Error: inner",
    "node-console": "boot failed: TypeError: fetch failed; cause: Error: connect ECONNREFUSED 127.0.0.1:45999",
    "node-console-object": "Error: outer; cause: TypeError: x is not a function",
    "node-fetch": "TypeError: fetch failed; cause: Error: bad port",
    "python-from": "RuntimeError: config invalid; cause: KeyError: 'DATABASE_URL'",
    "python-from-from": "RuntimeError: boot failed; cause: FileNotFoundError: [Errno 2] No such file or "
    "directory: 'settings.json'",
    "nodemon": "Cannot find module 'nothing-there'",
    "npm-badjson": "Invalid package.json: JSONParseError: Expected double-quoted property name in JSON "
    'at position 12 while parsing "{\\"name\\":\\"x\\",}\\n" Failed to parse JSON data.',
    "npm-ci-outofsync": "`npm ci` can only install packages when your package.json and package-lock.json or "
    "npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` "
    "before continuing.",
    "npm-eresolve": 'Could not resolve dependency: peer react@"17.0.2" from react-dom@17.0.2 '
    'node_modules/react-dom react-dom@"17.0.2" from the root project',
    "npm-nojson": "Could not read package.json: Error: ENOENT: no such file or directory, open "
    "'/home/ada/shop/q/package.json'",
    "npm-nomatch": "No matching version found for left-pad@99.3.0.",
    "npm-noscript": 'Missing script: "nothing"',
    "npm-notfound": "next: not found",
    "php-autoload": "Error: Failed opening required 'vendor/autoload.php' "
    "(include_path='.:/usr/share/php') in /home/ada/shop/autoload.php:1",
    "php-busy": "port 23690 is in use",
    "php-fatal": "RuntimeException: DATABASE_URL is missing in /home/ada/shop/fatal.php:2",
    "php-fatal-log": "RuntimeException: DATABASE_URL is missing in /home/ada/shop/fatal.php:2",
    "php-nofile": "Could not open input file: nofile.php",
    "php-noroot": "Directory nothing does not exist.",
    "php-parse": 'syntax error, unexpected variable "$a", expecting "," or ";" in '
    "/home/ada/shop/parse.php on line 3",
    "php-server": "Error: Call to undefined function undefined_function() in /home/ada/shop/phpsrv/index.php:2",
    "php-undef": "Error: Call to undefined function undefined_thing() in /home/ada/shop/undef.php:1",
    "pip-extension": "x.c:1:10: fatal error: pg_config_missing.h: No such file or directory",
    "pip-flat": "Multiple top-level packages discovered in a flat-layout: ['app', 'migrations'].",
    "pip-setup": "Exception: pg_config executable not found",
    "pip-nofile": "Could not open requirements file: [Errno 2] No such file or directory: 'none.txt'",
    "pip-nomatch": "No matching distribution found for nothing-there-shop==9.9",
    "postgres-busy": "an address is in use",
    "postgres-full": 'could not write block 8 in file "base/16385/1249": wrote only 4096 of 8192 bytes',
    "postgres-nodata": 'could not access directory "/home/ada/shop/pg/none": No such file or directory',
    "prisma-engine": "request to "
    "https://binaries.prisma.sh/all_commits/c2990dca591cba766e3b7ef5d9e8a84796e47ab7/debi"
    "an-openssl-3.0.x/schema-engine.gz.sha256 failed, reason: getaddrinfo ENOTFOUND "
    "binaries.prisma.sh",
    "python-file": "can't open file '/home/ada/shop/nofile.py': [Errno 2] No such file or directory",
    "python-module": "No module named nomodule",
    "redis-busy": "port 23690 is in use",
    "redis-threads": "Fatal: Can't initialize Background Jobs.",
    "valkey-threads": "Fatal: Can't initialize Background Jobs. Error message: Resource temporarily unavailable",
    "ruby-cause": "could not reach the database (ConnectionNotEstablished)",
    "ruby-keyerr": 'key not found: "SECRET_KEY_BASE" (KeyError)',
    "ruby-nofile": "No such file or directory -- nofile.rb (LoadError)",
    "ruby-nomethod": "undefined method `serve' for nil:NilClass (NoMethodError)",
    "ruby-raise": "DATABASE_URL is missing (RuntimeError)",
    "ruby-require": "cannot load such file -- nothing_there (LoadError)",
    "ruby-syntax": "syntax.rb:2: syntax error, unexpected end-of-input, expecting `end'",
    "rust-backtrace": "DATABASE_URL must be set: NotPresent (src/main.rs:3:45)",
    "sh-notfound": "nothing-there: not found",
    "svelte-module": "Failed to load url ./nothing-there.js (resolved id: ./nothing-there.js) in "
    "/home/ada/shop/src/routes/+page.svelte. Does the file exist?",
    "tsx-watch": "Cannot find module 'nothing-there'",
    "uv-nosolution": "No solution found when resolving dependencies; cause: Because nothing-there-shop-x "
    "was not found in the package registry and your project depends on "
    "nothing-there-shop-x, we ",
    "uv-python": "No interpreter found for Python >=3.19 in managed installations or search path",
    "uv-toml": "Failed to parse: pyproject.toml; cause: TOML parse error at line 1, column 9",
    "uvicorn-busy": "port 23690 is in use",
    "uvicorn-env": "KeyError: 'SECRET_KEY'",
    "uvicorn-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "uvicorn-name": "ImportError: cannot import name 'nothing_there' from 'ok' (/home/ada/shop/ok.py)",
    "uvicorn-noattr": 'Error loading ASGI app. Attribute "application" not found in module "ok".',
    "uvicorn-nomodule": "ModuleNotFoundError: No module named 'nope'",
    "uvicorn-reload-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "uvicorn-syntax": "SyntaxError: invalid syntax (badsyntax.py, line 1)",
    "vite-busy": "port 23690 is in use",
    "vite-config": "Cannot find package 'nothing-there' imported from "
    "/home/ada/shop/frontend/node_modules/.vite-temp/vite.config.js.timestamp-17952317954"
    "27-cefd0c9635d4.mjs",
}

DOCUMENTED = {
    # learn.microsoft.com/dotnet: exceptions, CS0103, `dotnet restore`
    """\
Unhandled exception. System.InvalidOperationException: DATABASE_URL is missing
   at Program.<Main>$(String[] args) in /home/ada/shop/Program.cs:line 3
""": "System.InvalidOperationException: DATABASE_URL is missing",
    """\
/home/ada/shop/Program.cs(3,5): error CS0103: The name 'x' does not exist in the current context [/home/ada/shop/shop.csproj]
/home/ada/shop/Program.cs(4,5): error CS0246: The type or namespace name 'Y' could not be found [/home/ada/shop/shop.csproj]

The build failed. Fix the build errors and run again.
""": "CS0103: The name 'x' does not exist in the current context",
    """\
/home/ada/shop/shop.csproj : error NU1101: Unable to find package Nothing.There. No packages exist with this id in source(s): nuget.org
""": "NU1101: Unable to find package Nothing.There. No packages exist with this id in source(s): nuget.org",
    # prisma.io/docs, error reference and troubleshooting
    """\
Error: P1001: Can't reach database server at `localhost:5432`

Please make sure your database server is running at `localhost:5432`.
""": "P1001: Can't reach database server at `localhost:5432`",
    """\
PrismaClientInitializationError: Environment variable not found: DATABASE_URL.
    at startPrismaEngine (/home/ada/shop/node_modules/@prisma/client/runtime/index.js:1)
""": "PrismaClientInitializationError: Environment variable not found: DATABASE_URL.",
    """\
Error: @prisma/client did not initialize yet. Please run "prisma generate" and try to import it again.
    at new PrismaClient (/home/ada/shop/node_modules/.prisma/client/index.js:3:11)
""": '@prisma/client did not initialize yet. Please run "prisma generate" and try to import it again.',
    # docs.spring.io, "Failure analyzers"
    """\
***************************
APPLICATION FAILED TO START
***************************

Description:

Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource could be configured.

Action:

Consider the following:
""": "Failed to configure a DataSource: 'url' attribute is not specified and no embedded datasource "
    "could be configured.",
    # guides.rubyonrails.org, "Active Record Migrations", and Rails 7.1
    """\
ActiveRecord::PendingMigrationError (

Migrations are pending. To resolve this issue, run:

        bin/rails db:migrate
""": "Migrations are pending. To resolve this issue, run: bin/rails db:migrate",
    """\
bin/rails aborted!
ActiveRecord::NoDatabaseError: We could not find your database: shop_development.
/home/ada/shop/config/environment.rb:5:in `<main>'
Tasks: TOP => db:migrate
""": "ActiveRecord::NoDatabaseError: We could not find your database: shop_development.",
    # docs.ruby-lang.org, 3.4: quotes around a method
    """\
server.rb:3:in 'Object#connect': DATABASE_URL is missing (RuntimeError)
\tfrom server.rb:5:in '<main>'
""": "DATABASE_URL is missing (RuntimeError)",
    # hexdocs.pm, from Elixir 1.15 on
    """\
    error: undefined function nothing_there/1 (expected Shop to define such a function)
    │
  3 │     nothing_there(1)
    │     ^^^^^^^^^^^^^
    │
    └─ lib/a.ex:3:5: Shop.boot/0

== Compilation error in file lib/a.ex ==
** (CompileError) lib/a.ex: cannot compile module Shop (errors have been logged)
""": "undefined function nothing_there/1 (expected Shop to define such a function) (lib/a.ex:3)",
    # laravel.com, "Encryption": Symfony's console draws a box
    """\

  In Connection.php line 829:

    SQLSTATE[HY000] [2002] Connection refused

""": "SQLSTATE[HY000] [2002] Connection refused",
    # kotlinlang.org
    "e: file:///home/ada/shop/src/main/kotlin/App.kt:3:5 Unresolved reference: nothing\n": (
        "file:///home/ada/shop/src/main/kotlin/App.kt:3:5 Unresolved reference: nothing"
    ),
    # doc.rust-lang.org, before 1.73
    "thread 'main' panicked at 'DATABASE_URL must be set: NotPresent', src/main.rs:3:45\n": (
        "DATABASE_URL must be set: NotPresent (src/main.rs:3:45)"
    ),
    # github.com/sirupsen/logrus, github.com/uber-go/zap
    'time="2026-11-29T13:00:00Z" level=fatal msg="DATABASE_URL is missing"\n': "DATABASE_URL is missing",
    '{"level":"fatal","ts":1795957200,"caller":"main.go:9","msg":"DATABASE_URL is missing"}\n': (
        "DATABASE_URL is missing"
    ),
    # docs.astral.sh/uv, older versions
    """\
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because nothing-there was not found in the package registry, your requirements are unsatisfiable.
""": "Because nothing-there was not found in the package registry, your requirements are unsatisfiable.",
    # gnu.org/software/bash
    "./setup.sh: line 3: DATABASE_URL: unbound variable\n": "DATABASE_URL: unbound variable",
}
"""What could not be run where the files were recorded, and its cause."""

WORKERS = {"gunicorn-exit", "uvicorn-workers-exit"}
"""Servers that live on while their workers die: nothing in the output says more than the workers' own words."""
WAIT_FOR_A_CHANGE = {
    "air-compile",
    "air-compile-1.61",
    "air-fatal",
    "django-app",
    "node-watch",
    "nodemon",
    "tsx-watch",
    "uvicorn-reload-import",
}
"""Those that stayed alive. What of the others looks like these has ended, so nobody asks."""


def output(name: str) -> list[str]:
    return (OUTPUTS / f"{name}.txt").read_text().replace("\x1b[31m", "").replace("\x1b[39m", "").splitlines()


class TestTheCause:
    @pytest.mark.parametrize("name", CAUSES)
    def test_is_what_the_program_says_itself(self, name: str) -> None:
        assert cause_of(output(name)) == CAUSES[name]

    @pytest.mark.parametrize("text", DOCUMENTED)
    def test_is_what_a_program_says_according_to_its_documentation(self, text: str) -> None:
        assert cause_of(text.splitlines()) == DOCUMENTED[text]

    def test_is_the_last_words_of_go_only_at_the_very_end(self) -> None:
        lines = ["2026/11/29 13:01:22 DATABASE_URL is missing", "shutting down"]

        assert cause_of(lines) is None

    def test_is_not_the_last_words_of_a_program_that_was_killed(self) -> None:
        assert cause_of(["2026/11/29 13:01:22 listening on :8080"], code=-9) is None

    def test_of_a_compiler_is_the_first_error_of_the_last_build(self) -> None:
        lines = ["building...", "./old.go:1:1: undefined: a", "failed to build, error: exit status 1"]

        assert cause_of([*lines, *output("air-compile")]) == CAUSES["air-compile"]

    def test_is_read_through_colours(self) -> None:
        assert cause_of(["\x1b[31mValueError: \x1b[1mno port\x1b[0m"]) == "ValueError: no port"

    def test_is_known_for_every_output_that_was_collected(self) -> None:
        assert {path.stem for path in OUTPUTS.iterdir() if path.is_file()} == set(CAUSES) | WORKERS

    @pytest.mark.parametrize(
        "line",
        [
            "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
            "  VITE v7.1.2  ready in 312 ms",
            "2026-11-21 03:31:07.262 UTC [16343] LOG:  database system is ready to accept connections",
            "error count: 0",
            "",
        ],
    )
    def test_is_not_made_up(self, line: str) -> None:
        assert cause_of([line]) is None

    def test_is_never_a_page_long(self) -> None:
        said = cause_of(["ValueError: " + "x" * 5000])

        assert said is not None
        assert len(said) == 200


class TestAReloader:
    @pytest.mark.parametrize("name", sorted(WAIT_FOR_A_CHANGE))
    def test_that_lives_on_after_a_crash_is_recognised(self, name: str) -> None:
        assert stuck_by(output(name)) == CAUSES[name]

    def test_tells_the_last_line_of_a_program_that_names_no_error(self) -> None:
        assert stuck_by(["no DB url", "Failed running 'server.js'"]) == "no DB url"
        assert stuck_by(["Failed running 'server.js'"]) == "Failed running 'server.js'"
        ends = [
            "[nodemon] starting `node server.js`",
            "DATABASE_URL is missing",
            "[nodemon] process failed, unhandled exit code (2)",
            "[nodemon]",
            "[nodemon] Either the command has a syntax error,",
            "[nodemon] or it is exiting with reserved code 2.",
            "[nodemon] Error",
            "    at Bus.<anonymous> (/shop/node_modules/nodemon/lib/nodemon.js:164:25)",
        ]
        assert stuck_by(ends) == "DATABASE_URL is missing"
        crashed = "[nodemon] app crashed - waiting for file changes before starting..."
        assert stuck_by(["[nodemon] starting `node server.js`", crashed]) == crashed

    @pytest.mark.parametrize(
        "ended",
        [
            "Failed running 'server.js'",
            "[nodemon] app crashed - waiting for file changes before starting...",
            "[Finished running. Exit status: 137]",
            "[Command exited with 3]",
            "[Command killed by SIGKILL]",
            "Process Exit with Code: 3",
        ],
    )
    def test_speaks_for_a_program_whose_last_words_are_ordinary(self, ended: str) -> None:
        lines = ["connected to the store", "listening on http://localhost:3000", ended]

        assert stuck_by(lines) == f"{ended}; its last line: listening on http://localhost:3000"
        assert ended_by(lines) == stuck_by(lines)

    @pytest.mark.parametrize(
        ("said", "cause"),
        [
            (["DATABASE_URL is missing", "shutting down"], "DATABASE_URL is missing"),
            (["cannot open the store", "bye"], "cannot open the store"),
            (
                ["GET /health 200", "closing 0 errors so far"],
                "Failed running 's.js'; its last line: closing 0 errors so far",
            ),
        ],
    )
    def test_tells_the_line_that_sounds_like_an_error(self, said: list[str], cause: str) -> None:
        assert stuck_by(["listening on 3000", *said, "Failed running 's.js'"]) == cause

    def test_tells_what_a_program_threw_that_is_no_error(self) -> None:
        thrown = [
            "/home/ada/shop/s.cjs:2",
            'setTimeout(()=>{ throw "plain words" }, 100);',
            "                 ^",
            "plain words",
            "(Use `node --trace-uncaught ...` to show where the exception was thrown)",
            "",
            "Node.js v20.20.2",
            "Failed running 's.cjs'",
        ]
        rejected = [
            "      new UnhandledPromiseRejection(reason);",
            "      ^",
            "",
            'UnhandledPromiseRejection: This error originated … The promise rejected with the reason "text only".',
            "    at throwUnhandledRejectionsMode (node:internal/process/promises:389:7) {",
            "  code: 'ERR_UNHANDLED_REJECTION'",
            "}",
            "",
            "Node.js v20.20.2",
            "Failed running 's.cjs'",
        ]

        assert stuck_by(thrown) == "uncaught: plain words (s.cjs, line 2)"
        assert stuck_by(rejected) == 'promise rejected with the reason "text only"'

    @pytest.mark.parametrize(
        ("said", "cause"),
        [
            (
                [
                    "[Error: It looks like you're trying to use TypeScript but do not have the required package(s).",
                    "",
                    "Please install typescript by running:",
                    "",
                    "\tnpm install --save-dev typescript",
                    "",
                    "]",
                ],
                "It looks like you're trying to use TypeScript but do not have the required package(s).",
            ),
            (
                ["[Error: EACCES: permission denied, open '.next/trace'] {", "  errno: -13,", "}"],
                "EACCES: permission denied, open '.next/trace'",
            ),
            (["[TypeError: fetch failed]"], "TypeError: fetch failed"),
        ],
    )
    def test_tells_an_error_that_node_prints_in_brackets(self, said: list[str], cause: str) -> None:
        assert cause_of(["\u2713 Starting...", *said]) == cause

    def test_tells_an_abort_of_node_by_its_own_frame(self) -> None:
        lines = [
            "listening on 3000",
            " 1: 0xb9c310 node::Abort() [/usr/bin/node]",
            " 2: 0xf51915 v8::internal::Builtin_HandleApiCall(int, unsigned long*) [/usr/bin/node]",
            "",
            "----- JavaScript stack trace -----",
            "",
            "1: /home/ada/shop/s.cjs:2:26",
            "2: listOnTimeout (node:internal/timers:581:17)",
            "",
            "",
            "Failed running 's.cjs'",
        ]

        assert stuck_by(lines) == "node::Abort()"

    def test_whose_program_ended_without_an_error_is_recognised(self) -> None:
        assert stuck_by(["done", "Completed running 'server.js'"]) == "Completed running 'server.js'"
        assert ended_by(["done", "Completed running 'server.js'"]) == "Completed running 'server.js'"

    @pytest.mark.parametrize(
        ("said", "cause"),
        [
            (
                "Process finished with exit code 1. Restarting on file change...",
                (
                    "Watcher Process finished with exit code 1. Restarting on file change...; "
                    "its last line: Set SECRET_KEY first"
                ),
            ),
            (
                "Process finished. Restarting on file change...",
                "Watcher Process finished. Restarting on file change...",
            ),
        ],
    )
    def test_of_deno_is_what_its_watcher_says(self, said: str, cause: str) -> None:
        """The output of Deno 2.9, whose program called `process.exit()`."""
        blue = "\x1b[0m\x1b[38;5;12mWatcher\x1b[0m "

        assert stuck_by([f"{blue}Process started.", "Set SECRET_KEY first", f"{blue}{said}"]) == cause

    def test_whose_program_starts_anew_is_not_stuck(self) -> None:
        again = "WARNING:  StatReload detected changes in 'bad.py'. Reloading..."

        assert stuck_by([*output("uvicorn-reload-import"), again]) is None

    def test_is_not_seen_in_a_compiler_beside_a_server(self) -> None:
        assert stuck_by(["[tsc] 1:20:38 PM - Found 1 error. Watching for file changes."]) is None
        assert stuck_by(["[1:20:38 PM] Found 0 errors. Watching for file changes."]) is None

    def test_is_not_seen_in_an_error_that_was_only_told(self) -> None:
        lines = [
            "Traceback (most recent call last):",
            '  File "app.py", line 3, in <module>',
            "ModuleNotFoundError: No module named 'uvloop'",
            "falling back to asyncio",
        ]

        assert stuck_by(lines) is None
        assert stuck_by([]) is None


class TestAProgramThatGivesUpInWordsOfItsOwn:
    @pytest.mark.parametrize(
        "lines",
        [
            ["Cannot find schema.graphql"],
            ["loading", "Cannot find schema.graphql", "bye"],
            ["Cannot find schema.graphql", "npm error code 2", "npm error path /home/ada/shop/web"],
        ],
    )
    def test_is_explained_by_its_last_line_that_sounds_like_an_error(self, lines: list[str]) -> None:
        assert last_error_line(lines, 1) == "Cannot find schema.graphql"

    def test_is_not_explained_by_what_it_printed_before_a_signal_or_a_good_end(self) -> None:
        lines = ["Cannot find schema.graphql"]

        assert last_error_line(lines, -9) is None
        assert last_error_line(lines, 0) is None
        assert last_error_line(lines, None) is None

    def test_is_not_explained_by_ordinary_lines(self) -> None:
        assert last_error_line(["listening on 8000", "--- devinit: web fails at 12:00 ---"], 1) is None


class TestAServerWhoseWorkersDie:
    @pytest.mark.parametrize("name", ["gunicorn-exit", "uvicorn-workers-exit"])
    def test_again_and_again_is_recognised_with_their_last_words(self, name: str) -> None:
        assert dying_by(output(name)) == "its workers die again and again: DATABASE_URL is missing"

    def test_once_is_left_alone(self) -> None:
        assert dying_by(["INFO:     Child process [4] died"] * 2) is None

    def test_and_start_well_in_the_end_is_left_alone(self) -> None:
        lines = ["INFO:     Child process [4] died"] * 3

        assert dying_by([*lines, "INFO:     Application startup complete."]) is None


class TestAStructuredLog:
    def test_tells_of_an_error_only_when_that_is_among_the_last_words(self) -> None:
        error = '{"level":"error","msg":"cannot send mail","err":"timeout"}'
        info = '{"level":"info","msg":"request"}'

        assert cause_of([info, error]) == "cannot send mail: timeout"
        assert cause_of([error, info, info, info]) is None

    def test_tells_the_last_line_of_a_traceback(self) -> None:
        record = '{"event":"cannot start","level":"critical","exception":"Traceback:\\n  File\\nKeyError: \'URL\'"}'

        assert cause_of([record]) == "cannot start: KeyError: 'URL'"

    @pytest.mark.parametrize("line", ['{"level":"fatal"', '{"level":["fatal"]}', "level=fatal", "[1]", "{}"])
    def test_that_says_nothing_is_passed_over(self, line: str) -> None:
        assert cause_of([line]) is None


class TestAProgramThatAborts:
    @pytest.mark.parametrize(
        ("lines", "cause"),
        [
            (["terminate called after throwing an instance of 'std::runtime_error'", "  what():  no config"], "no config"),
            (["", "thread 'main' (211) has overflowed its stack", "fatal runtime error: stack overflow, aborting"], "thread 'main' (211) has overflowed its stack"),
            (["as: as.c:5: main: Assertion `port > 0' failed."], "as.c:5: main: Assertion `port > 0' failed."),
            (["free(): double free detected in tcache 2"], "free(): double free detected in tcache 2"),
            (["*** stack smashing detected ***: terminated"], "stack smashing detected"),
        ],
    )  # fmt: skip
    def test_says_why_in_its_log(self, lines: list[str], cause: str) -> None:
        assert cause_of(["up", *lines], -6) == cause


class TestWordsOfFrameworks:
    @pytest.mark.parametrize(
        ("lines", "cause"),
        [
            (
                ["Usage: typer1.py [OPTIONS]", "╭─ Error ───────╮", "│ Missing option '--port'.      │", "╰───────────────╯"],
                "Missing option '--port'.",
            ),
            (
                [
                    "pydantic_core._pydantic_core.ValidationError: 2 validation errors for S",
                    "database_url",
                    "  Field required [type=missing, input_value={}, input_type=dict]",
                    "    For further information visit https://errors.pydantic.dev/2/v/missing",
                    "secret_key",
                    "  Field required [type=missing, input_value={}, input_type=dict]",
                ],
                "pydantic_core._pydantic_core.ValidationError: 2 validation errors for S: database_url, secret_key: Field required",
            ),
            (
                [
                    "  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)",
                    "  +-+---------------- 1 ----------------",
                    "    | Traceback (most recent call last):",
                    '    |   File "/shop/grp.py", line 2, in a',
                    "    | ValueError: first bad",
                    "    +---------------- 2 ----------------",
                    "    | KeyError: 'second'",
                    "    +------------------------------------",
                ],
                "ValueError: first bad",
            ),
            (
                ["Comp.java:3: error: incompatible types: String cannot be converted to int", "  int a = x;", "          ^", "1 error", "error: compilation failed"],
                "Comp.java:3: error: incompatible types: String cannot be converted to int",
            ),
            (
                ["Uncaught:", "{", "  code: 'E1',", "  message: 'no database'", "}", "(Use `node --trace-uncaught ...` to show where it was thrown)", "", "Node.js v22.1.0"],
                "uncaught: { code: 'E1', message: 'no database' }",
            ),
            (
                ['{"event": "boot failed", "level": "error", "exception": [{"exc_type": "KeyError", "exc_value": "\'DSN\'", "frames": []}]}'],
                "boot failed: KeyError: 'DSN'",
            ),
        ],
    )  # fmt: skip
    def test_are_understood(self, lines: list[str], cause: str) -> None:
        assert cause_of(lines, 1) == cause

    def test_of_workers_without_a_cause_are_their_code_and_last_line(self) -> None:
        death = ["goodbye", "[2026-12-01 12:00:00 +0000] [1] [ERROR] Worker (pid:7) exited with code 1."]

        assert dying_by(death * 3) == "its workers die again and again (code 1); its last line: goodbye"
