"""The commands of the README, in a fresh clone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Machine
from tests.end_to_end.guestbook import HERE, SERVICES, Guestbook, Page
from tests.places import require_git

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

INSTALL_SECONDS = 500
LONGEST_STOP_SECONDS = 6


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What somebody would get who cloned the repository now."""
    require_git()
    said = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HERE, capture_output=True, check=False,
    )  # fmt: skip
    if said.returncode != 0:
        pytest.skip("this is no repository")
    folder = tmp_path / "clone"
    for name in filter(None, said.stdout.decode().split("\0")):
        source, target = HERE / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


@pytest.fixture
def guestbook(clone: Path) -> Iterator[Guestbook]:
    runtime = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
    guestbook = Guestbook(clone / "docs" / "example", Machine(runtime / "state", runtime))
    guestbook.environment.pop("VIRTUAL_ENV", None)
    yield guestbook
    guestbook.finish()
    shutil.rmtree(runtime)


class TestTheDemo:
    def test_starts_four_services_in_a_fresh_clone_and_stop_ends_them(
        self, clone: Path, guestbook: Guestbook
    ) -> None:
        def run(*words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                words, cwd=clone, env=guestbook.environment, stdin=subprocess.DEVNULL,
                capture_output=True, encoding="utf-8", timeout=seconds, check=False,
            )  # fmt: skip

        demo = run("./scripts/demo", seconds=INSTALL_SECONDS)

        assert demo.returncode == 0, demo.stdout + demo.stderr
        urls = dict(re.findall(r"^✓ +(\w+) .* (\S+://\S+)$", demo.stdout, re.MULTILINE))
        assert list(urls) == list(SERVICES), demo.stdout
        page = Page(urls["frontend"])
        assert "<title>Guestbook</title>" in page.html
        assert page.api_url == urls["backend"]
        assert page.pin("from the demo")["id"] > 0
        assert page.visit() == 1

        status = json.loads(run(".venv/bin/devinit", "-C", "docs/example", "status", "--json").stdout)
        assert {each["name"]: each["phase"] for each in status["services"]} == dict.fromkeys(
            SERVICES, "ready"
        )

        began = time.monotonic()
        stop = run(".venv/bin/devinit", "-C", "docs/example", "stop")
        seconds = time.monotonic() - began
        assert stop.returncode == 0, stop.stderr
        assert seconds < LONGEST_STOP_SECONDS
        assert guestbook.listening() == []
        assert guestbook.leased() == []
