"""Specifies what is found in projects as people have them, where a guess that nobody sees would be wrong."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from devinit.config.detected import detect
from devinit.model.service import Project, Service

Write = Callable[..., Path]
Found = Callable[[dict[str, str]], Project]

FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"


@pytest.fixture
def found(root: Path, write: Write) -> Found:
    """Return what is detected in files with these texts."""

    def detecting(files: dict[str, str]) -> Project:
        for name, text in files.items():
            write(name, textwrap.dedent(text))
        return detect(root)

    return detecting


def package(scripts: dict[str, str], **keys: object) -> str:
    return json.dumps({"scripts": scripts, **keys})


def port_of(service: Service) -> int | None:
    return service.port.preferred if service.port else None


class TestPagesOfNodeAroundABackendInPython:
    FILES = {
        "package.json": package({"start": "npm-run-all --parallel watch:lib serve", "watch:lib": "tsup --watch",
                                 "serve": "webpack-dev-server"},
                                devDependencies={"webpack-dev-server": "4", "npm-run-all": "4"}),
        "requirements.txt": "flask\nredis\n",
        "shop/app.py": """\
            from flask import Flask

            class Shop(Flask):
                def __init__(self):
                    super().__init__(__name__)

            def create_app():
                app = Shop()
                return app
            """,
        "shop/wsgi.py": "from shop.app import create_app\n\napp = create_app()\n",
        "Dockerfile": 'FROM python:3.12-slim\nWORKDIR /app\nENTRYPOINT ["/app/bin/docker-entrypoint"]\nCMD ["server"]\n',
        "bin/docker-entrypoint": 'case "$1" in\n  dev_server) exec /app/manage.py runserver ;;\nesac\n',
        "compose.yaml": """\
            services:
              server:
                build: .
                command: dev_server
                ports: ["5001:5000"]
                environment: {SHOP_HOST: "http://localhost:5001"}
              worker:
                build: .
                command: ["celery", "-A", "shop.tasks", "worker"]
              redis: {image: redis}
            """,
    }  # fmt: skip

    def test_are_not_what_the_container_of_that_language_runs(self, found: Found) -> None:
        pages = found(self.FILES).services["frontend"]

        assert port_of(pages) != 5001
        assert "SHOP_HOST" not in pages.env

    def test_are_started_beside_it(self, found: Found) -> None:
        services = found(self.FILES).services

        assert services["backend"].command == "flask --app shop.wsgi run --host 127.0.0.1 --port ${PORT} --debug"
        assert port_of(services["backend"]) == 5001
        assert services["backend"].env == {"SHOP_HOST": "http://localhost:${BACKEND_PORT}"}
        assert services["worker"].command == "celery -A shop.tasks worker"


class TestAPackageThatIsCalledAsALibrary:
    def test_is_imported_from_where_its_other_imports_resolve(self, found: Found, root: Path) -> None:
        services = found(
            {
                "backend/requirements.txt": "fastapi\ncelery\nredis\n",
                "backend/shop/__init__.py": "",
                "backend/shop/main.py": FASTAPI,
                "backend/shop/settings.py": "",
                "backend/shop/celery/__init__.py": "",
                "backend/shop/celery/queue.py": """\
                    from celery import Celery
                    from shop.settings import settings

                    queue = Celery("shop")
                    """,
            }
        ).services

        assert services["worker"].command == "celery -A shop.celery.queue:queue worker --loglevel INFO"
        assert services["worker"].directory == root / "backend"
