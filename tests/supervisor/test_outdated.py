"""Specifies by which reading of the files `status` and `why` judge what runs, where more than devinit.toml counts."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from devinit.errors import ConfigError
from devinit.model.service import Project, Service
from devinit.supervisor.reporting.outdated import Files

if TYPE_CHECKING:
    from devinit.supervisor.project.project_state import ProjectState
    from tests.supervisor.conftest import Shop

WEB = "web: python3 -m http.server --bind 127.0.0.1 $PORT\n"
WORKER = "worker: python3 -c 'import signal; signal.pause()'\n"


@pytest.fixture
def layered(shop: Shop, port: int) -> Shop:
    """A project that runs and was looked at: what a Procfile lists, with a devinit.toml over it."""
    (shop.root / "Procfile.dev").write_text(WEB)
    (shop.root / "devinit.toml").write_text(f"[services.web]\nport = {port}\n")
    shop.up()
    assert [*shop.status()] == ["web"]
    return shop


def changed(shop: Shop) -> dict[str, list[str]]:
    return {name: each["changed"] for name, each in shop.status().items()}


class TestWhatAnOrderHasRead:
    def test_counts_for_a_service_that_it_has_added(self, layered: Shop) -> None:
        (layered.root / "Procfile.dev").write_text(WEB + WORKER)

        layered.up()

        assert changed(layered) == {"web": [], "worker": []}
        assert json.loads(layered("why", "worker", "--json").stdout)["changed"] == []

    def test_counts_after_the_restart_of_what_it_has_changed(self, layered: Shop) -> None:
        (layered.root / "Procfile.dev").write_text(WEB.replace("$PORT", "$PORT --directory ."))

        assert layered("restart", "web").returncode == 0

        assert changed(layered) == {"web": []}

    def test_counts_for_what_it_has_not_restarted(self, layered: Shop) -> None:
        (layered.root / "Procfile.dev").write_text(WEB.replace("$PORT", "$PORT --directory ."))

        layered.up()

        assert changed(layered) == {"web": ["command"]}

    def test_counts_with_the_profile_that_it_has_chosen(self, layered: Shop) -> None:
        file = layered.root / "devinit.toml"
        file.write_text(file.read_text() + '[profiles.ci.services.web]\nenv = { MODE = "ci" }\n')
        assert changed(layered) == {"web": []}

        assert layered("restart", "--profile", "ci").returncode == 0

        assert changed(layered) == {"web": []}


class AtProject:
    """The part of a stage that says which project is known."""

    def __init__(self, project: Project) -> None:
        self.project, self.root = project, project.root


def project(root: Path, *names: str) -> Project:
    services = {name: Service(name=name, directory=root, command="run") for name in names}
    return Project(name="shop", root=root, services=services, source=root / "devinit.toml")


class TestTwoReadings:
    def test_that_overlap_are_told_apart_by_their_beginning(self, tmp_path: Path) -> None:
        """A question reads for long; an order that comes meanwhile reads what was written since."""
        (tmp_path / "devinit.toml").touch()
        before, after = project(tmp_path, "web"), project(tmp_path, "web", "worker")
        began, go_on = threading.Event(), threading.Event()

        def load(profile: str | None) -> Project:
            if began.is_set():
                return after
            began.set()
            assert go_on.wait(30)
            return before

        async def both() -> tuple[Project, Project, Project]:
            files = Files(cast("ProjectState", AtProject(before)), load)
            question = asyncio.create_task(files.project(None))
            assert await asyncio.to_thread(began.wait, 30)
            ordered = await files.read(None)
            go_on.set()
            return ordered, await question, await files.project(None)

        assert asyncio.run(both()) == (after, after, after)

    def test_are_both_made_when_the_second_one_fails(self, tmp_path: Path) -> None:
        (tmp_path / "devinit.toml").touch()
        known = project(tmp_path, "web")
        answers: list[Project | ConfigError] = [
            known,
            ConfigError("it is broken"),
            ConfigError("it still is"),
        ]

        def load(profile: str | None) -> Project:
            answer = answers.pop(0)
            if isinstance(answer, ConfigError):
                raise answer
            return answer

        async def ask() -> tuple[Project, str | None]:
            files = Files(cast("ProjectState", AtProject(known)), load)
            await files.project(None)
            with pytest.raises(ConfigError):
                await files.read(None)
            return await files.project(None), files.problem

        assert asyncio.run(ask()) == (known, "it still is")
