from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from devinit.config.detected import detect

Write = Callable[..., Path]


class TestTheUsualStack:
    def test_is_four_services_that_wait_for_each_other(self, root: Path, write: Write) -> None:
        write("backend/app/main.py", "from fastapi import FastAPI\napp = FastAPI()\n")
        write("backend/requirements.txt", "fastapi\nasyncpg\nredis\n")
        write("frontend/package.json", json.dumps({"scripts": {"dev": "vite"}}))

        project = detect(root)

        assert {name: service.depends_on for name, service in project.services.items()} == {
            "postgres": (),
            "redis": (),
            "backend": ("postgres", "redis"),
            "frontend": ("backend",),
        }
        assert project.name == "shop"
        assert project.discovery == {"backend": ".backend-port.json"}


class TestAFolder:
    def test_without_anything_is_no_project(self, root: Path) -> None:
        project = detect(root)

        assert (project.services, project.notes) == ({}, ())

    def test_that_is_not_recognised_is_noted(self, root: Path, write: Write) -> None:
        write("backend/Main.java")

        assert detect(root).notes == ("backend/: no application was recognised",)
