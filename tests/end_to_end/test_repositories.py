"""Specifies that repositories come up without a line of configuration, after what their notes say to install."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.conftest import Machine
from tests.end_to_end.conftest import is_free, listen
from tests.end_to_end.guestbook import ANSWER_SECONDS, Guestbook

Clone = Callable[[Mapping[str, str]], Guestbook]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
COMMAND = re.compile(r"`([^`]+)` makes")
"""What a note says to run where something is not installed."""

PAGE = '<!doctype html><script type="module" src="/main.js"></script>'
SHOWS_API = "document.title = import.meta.env.VITE_API_URL;\n"


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    """Return what lays out a repository on a machine that never saw devinit, and installs what its notes name."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm on PATH (scripts/test brings one along)")
    with ExitStack() as stack:

        def make(files: Mapping[str, str]) -> Guestbook:
            root = tmp_path / "shop"
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            # Not below pytest's directory: the path of a unix socket has at most 107 bytes.
            runtime = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
            stack.callback(shutil.rmtree, runtime, ignore_errors=True)
            (runtime / "state").mkdir(mode=0o700)
            shop = Guestbook(root, Machine(runtime / "state", runtime))
            stack.callback(shop.finish)
            for command in commands(shop):
                subprocess.run(
                    ["sh", "-ec", command], cwd=root, env=shop.environment, check=True, timeout=300
                )
            assert commands(shop) == []
            return shop

        yield make


def commands(shop: Guestbook) -> list[str]:
    """Return what the notes about a repository say to run."""
    notes = json.loads(shop.devinit("init", "--explain", "--json").out)["notes"]
    return [found[1] for note in notes for found in COMMAND.finditer(note)]


def answer(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=ANSWER_SECONDS) as response:  # noqa: S310 - a server of the test
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_fastapi_at_the_root_and_a_page_of_vite_in_another_folder(clone: Clone) -> None:
    shop = clone(
        {
            "app/__init__.py": "",
            "app/main.py": (
                "from fastapi import FastAPI\n\nfrom app.words import HELLO\n\napp = FastAPI()\n\n\n"
                '@app.get("/health")\ndef health() -> str:\n    return HELLO\n'
            ),
            "app/words.py": 'HELLO = "well"\n',
            "requirements.txt": "fastapi\nuvicorn\n",
            "client/package.json": json.dumps(
                {"type": "module", "scripts": {"dev": "vite"}, "devDependencies": {"vite": "^6"}}
            ),
            "client/index.html": PAGE,
            "client/main.js": SHOWS_API,
        }
    )

    shop.start()

    backend, frontend = shop.url("backend"), shop.url("frontend")
    assert shop.phases() == {"backend": "ready", "frontend": "ready"}
    assert answer(f"{backend}/health") == (200, '"well"')
    assert answer(frontend)[0] == 200
    assert backend in answer(f"{frontend}/main.js")[1]


def test_a_workspace_of_npm_with_a_page_and_a_server_whose_port_is_taken(clone: Clone) -> None:
    workspace = {"private": True, "workspaces": ["apps/*"], "scripts": {"build": "echo"}}
    shop = clone(
        {
            "package.json": json.dumps(workspace),
            "apps/web/package.json": json.dumps(
                {
                    "name": "web",
                    "type": "module",
                    "scripts": {"dev": "vite --port 3055"},
                    "devDependencies": {"vite": "^6"},
                }
            ),
            "apps/web/index.html": PAGE,
            "apps/web/main.js": SHOWS_API,
            "apps/api/package.json": json.dumps(
                {
                    "name": "api",
                    "scripts": {"dev": "node --watch src/index.js"},
                    "dependencies": {"express": "^5"},
                }
            ),
            "apps/api/src/index.js": (
                'const app = require("express")();\napp.get("/", (_, answer) => answer.send("api"));\n'
                "app.listen(process.env.PORT ?? 4055);\n"
            ),
        }
    )
    assert is_free(4055)
    with listen(4055):
        shop.start()

    ports = shop.ports()
    assert shop.phases() == {"backend": "ready", "frontend": "ready"}
    assert (ports["frontend"], ports["backend"] > 4055) == (3055, True)
    assert answer(shop.url("backend")) == (200, "api")
    assert shop.url("backend") in answer(f"{shop.url('frontend')}/main.js")[1]


def test_django_in_a_folder_of_its_own_with_its_migrations(clone: Clone) -> None:
    shop = clone(
        {
            "requirements.txt": "django\n",
            "src/manage.py": (
                "import os\nimport sys\n\n"
                'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
                "from django.core.management import execute_from_command_line\n\n"
                "execute_from_command_line(sys.argv)\n"
            ),
            "src/shop/__init__.py": "",
            "src/shop/settings.py": (
                'SECRET_KEY = "x"\nDEBUG = True\nROOT_URLCONF = "shop.urls"\nUSE_TZ = True\n'
                'INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]\n'
                'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}\n'
            ),
            "src/shop/urls.py": (
                "from django.contrib.auth.models import User\nfrom django.http import HttpResponse\n"
                "from django.urls import path\n\n"
                'urlpatterns = [path("", lambda request: HttpResponse(f"{User.objects.count()} users"))]\n'
            ),
        }
    )

    shop.start()

    assert shop.phases() == {"backend": "ready"}
    assert answer(shop.url("backend")) == (200, "0 users")
