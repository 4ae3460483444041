"""Specifies `devinit.supervisor.causes` by what real programs printed (the files in `outputs`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.supervisor.causes import cause_of, stuck_by

OUTPUTS = Path(__file__).parent / "outputs"

CAUSES = {
    "alembic-heads": "Multiple head revisions are present for given argument 'head'; please specify a specific "
    "target revision, '<branchname>@head' to narrow to a specific head, or 'heads' for all heads",
    "alembic-noconfig": "No 'script_location' key found in configuration.",
    "alembic-nodb": "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: connection to "
    'server at "127.0.0.1", port 23699 failed: Connection refused',
    "alembic-norev": "Can't locate revision identified by 'abc123'",
    "alembic-unknown": "Can't locate revision identified by 'deadbeef'",
    "bash-notfound": "nothing-there: command not found",
    "django-app": "ModuleNotFoundError: No module named 'blog'",
    "django-busy": "an address is in use",
    "django-migrate": "ModuleNotFoundError: No module named 'blog'",
    "django-nodb": 'django.db.utils.OperationalError: connection failed: connection to server at "127.0.0.1", '
    "port 23699 failed: Connection refused",
    "django-noreload-busy": "an address is in use",
    "flask-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "gunicorn-busy": "port 23690 is in use",
    "gunicorn-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "node-busy": "port 23690 is in use",
    "node-cjs": "Cannot find module 'nothing-there'",
    "node-esm": "Cannot find package 'nothing-there' imported from /home/ada/shop/frontend/server.js",
    "node-nofile": "Cannot find module '/home/ada/shop/frontend/nofile.js'",
    "node-syntax": "SyntaxError: Unexpected token '='",
    "node-watch": "Cannot find module 'nothing-there'",
    "nodemon": "Cannot find module 'nothing-there'",
    "npm-nojson": "Could not read package.json: Error: ENOENT: no such file or directory, open "
    "'/home/ada/shop/q/package.json'",
    "npm-noscript": 'Missing script: "nothing"',
    "npm-notfound": "next: not found",
    "postgres-busy": "an address is in use",
    "postgres-nodata": 'could not access directory "/home/ada/shop/pg/none": No such file or directory',
    "python-file": "can't open file '/home/ada/shop/nofile.py': [Errno 2] No such file or directory",
    "python-module": "No module named nomodule",
    "redis-busy": "port 23690 is in use",
    "sh-notfound": "nothing-there: not found",
    "tsx-watch": "Cannot find module 'nothing-there'",
    "uvicorn-busy": "port 23690 is in use",
    "uvicorn-env": "KeyError: 'SECRET_KEY'",
    "uvicorn-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "uvicorn-name": "ImportError: cannot import name 'nothing_there' from 'ok' (/home/ada/shop/ok.py)",
    "uvicorn-noattr": 'Error loading ASGI app. Attribute "application" not found in module "ok".',
    "uvicorn-nomodule": "ModuleNotFoundError: No module named 'nope'",
    "uvicorn-reload-import": "ModuleNotFoundError: No module named 'shop_missing'",
    "uvicorn-syntax": "SyntaxError: invalid syntax (badsyntax.py, line 1)",
    "vite-busy": "port 23690 is in use",
    "vite-config": "Cannot find package 'nothing-there' imported from /home/ada/shop/frontend/node_modules/"
    ".vite-temp/vite.config.js.timestamp-1795231795427-cefd0c9635d4.mjs",
}

WAIT_FOR_A_CHANGE = {"django-app", "node-watch", "nodemon", "tsx-watch", "uvicorn-reload-import"}
"""Those that stayed alive. What of the others looks like these has ended, so nobody asks."""


def output(name: str) -> list[str]:
    return (OUTPUTS / f"{name}.txt").read_text().replace("\x1b[31m", "").replace("\x1b[39m", "").splitlines()


class TestTheCause:
    @pytest.mark.parametrize("name", CAUSES)
    def test_is_what_the_program_says_itself(self, name: str) -> None:
        assert cause_of(output(name)) == CAUSES[name]

    def test_is_known_for_every_output_that_was_collected(self) -> None:
        assert {path.stem for path in OUTPUTS.iterdir()} == set(CAUSES)

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

    def test_whose_program_starts_anew_is_not_stuck(self) -> None:
        again = "WARNING:  StatReload detected changes in 'bad.py'. Reloading..."

        assert stuck_by([*output("uvicorn-reload-import"), again]) is None

    def test_is_not_seen_in_an_error_that_was_only_told(self) -> None:
        lines = [
            "Traceback (most recent call last):",
            '  File "app.py", line 3, in <module>',
            "ModuleNotFoundError: No module named 'uvloop'",
            "falling back to asyncio",
        ]

        assert stuck_by(lines) is None
        assert stuck_by([]) is None
