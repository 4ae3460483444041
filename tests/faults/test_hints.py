"""Hints of the kind "set X" and "run Y": each is followed here, and helps.

`tests/architecture/test_hints.py` finds every hint of that kind, and the test in which it is followed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import pytest

from devinit.system.paths import runtime_directory
from tests.places import require_git, state_of
from tests.system.test_extras_tools import wheel

if TYPE_CHECKING:
    from tests.supervisor.conftest import FreePorts, MakeShop, Shop

PATIENT = {"ready": {"after": 0.05}}


def shell(line: str, folder: Path) -> None:
    subprocess.run(["sh", "-ec", line], cwd=folder, check=True, capture_output=True)


def test_a_line_that_is_no_program_is_run_by_a_shell(shop: Shop) -> None:
    shop.service("web", **PATIENT)
    line = "echo one; echo two"

    refused = shop("run", "--", line)

    assert refused.returncode == 127
    assert "`devinit run -- sh -c '...'` runs a line of shell" in refused.stderr
    assert shop("run", "--", "sh", "-c", line).stdout.split() == ["one", "two"]


def test_slots_that_cannot_be_read_are_moved_away(make_shop: MakeShop, tmp_path: Path) -> None:
    require_git()
    shop = make_shop("shop")
    shop.service("web", **PATIENT)
    git = "git -c user.name=ada -c user.email=ada@example.com"
    shell(f"git init -q && git add . && {git} commit -qm x && git worktree add -q ../linked", shop.root)
    linked = type(shop).at(shop.root.parent / "linked")
    slots = Path(os.environ["XDG_STATE_HOME"], "devinit", "worktrees.json")
    slots.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    slots.write_text("{")

    refused = linked("status")

    assert refused.returncode == 2
    assert f"{slots} cannot be read" in refused.stderr
    assert "move it away and run the command again" in refused.stderr
    slots.rename(tmp_path / "away")
    assert linked("status").returncode == 0


def test_a_record_that_cannot_be_read_is_moved_away(shop: Shop, tmp_path: Path) -> None:
    shop.service("web", **PATIENT)
    shop.up()
    shop.kill_supervisor()
    record = state_of(shop.root) / "state.json"
    record.write_text("garbage")

    refused = shop("start", "--detach")

    assert "move it away and run the command again" in refused.stderr
    record.rename(tmp_path / "away")
    assert shop("start", "--detach").returncode == 0


def test_an_order_whose_supervisor_went_away_is_given_again(shop: Shop) -> None:
    shop.service("web", "never", ready={"after": 0.5})
    starting = shop.begin("start", "--detach")
    starting.until(type="phase", phase="starting")
    shop.kill_supervisor()

    assert starting.finish() == 5
    assert "run the command again: it starts a supervisor that takes them over" in starting.errors()
    assert shop("start", "--detach").returncode == 0
    assert len(shop.pids("web")) == 1


def test_packages_that_are_not_installed_are_installed(shop: Shop) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    (shop.root / "near").mkdir()
    (shop.root / "near/package.json").write_text('{"name": "near", "version": "1.0.0"}')
    package = {"scripts": {"dev": "sleep 1000"}, "dependencies": {"near": "file:./near"}}
    (shop.root / "package.json").write_text(json.dumps(package))
    shop.service("web", command="npm run dev", **PATIENT)

    refused = shop("start", "--detach")

    assert f"run `npm install` in {shop.root}, or let it run by itself" in refused.stderr
    shell("npm install --offline --no-audit --no-fund", shop.root)
    assert shop("start", "--detach").returncode == 0


def test_packages_that_are_not_installed_are_installed_by_a_setup(shop: Shop) -> None:
    wheel(
        shop.root,
        "serve",
        {"serve.py": "import time\ndef main(): time.sleep(1000)\n"},
        scripts="serve = serve:main",
    )
    (shop.root / "requirements.txt").write_text("./serve-1-py3-none-any.whl\n")
    shop.service("web", command="serve", **PATIENT)

    refused = shop("start", "--detach")

    first, _, setup = refused.stderr.partition(
        "or let it run by itself: `devinit start --setup` once, setup = "
    )
    assert f"in {shop.root}, " in first
    shop.service("web", command="serve", setup=json.loads(setup.partition(" whenever")[0]), **PATIENT)
    assert shop("start", "--detach", PIP_NO_INDEX="1").returncode == 0


def test_packages_that_are_not_installed_are_installed_when_that_is_asked_for(shop: Shop) -> None:
    wheel(
        shop.root,
        "serve",
        {"serve.py": "import time\ndef main(): time.sleep(1000)\nif __name__ == '__main__': main()\n"},
        scripts="serve = serve:main",
    )
    (shop.root / "requirements.txt").write_text("./serve-1-py3-none-any.whl\n")
    shop.service("web", command="serve", **PATIENT)
    shop.service("worker", command="python3 -m serve", **PATIENT)

    refused = shop("start", "--detach")
    assert "web failed: serve was not found" in refused.stderr
    assert "worker failed: the module serve was not found" in refused.stderr

    started = shop("start", "--setup", "--detach", PIP_NO_INDEX="1")

    assert started.returncode == 0, started.stderr
    # What both lack is installed once.
    assert started.stderr.count("setting up: python3 -m venv .venv") == 1
    assert "Successfully installed serve" in shop("logs", "web").stdout + shop("logs", "worker").stdout


def test_a_fixed_port_that_is_in_the_code_is_set_in_the_configuration(
    shop: Shop, free_ports: FreePorts
) -> None:
    ports = free_ports(2)
    shop.service("api", f"elsewhere={ports[1]}", port=ports[0], strict_port=True)

    refused = shop("start", "--detach")

    assert refused.returncode != 0
    assert "or set the port that its code contains in devinit.toml" in refused.stderr
    shop.service("api", f"elsewhere={ports[1]}", port=ports[1], strict_port=True)
    assert shop("start", "--detach").returncode == 0
    assert shop.status()["api"]["port"] == ports[1]


def test_a_folder_that_others_may_enter_is_removed_or_another_one_is_set(shop: Shop, tmp_path: Path) -> None:
    shop.service("web", **PATIENT)
    runtime_directory().chmod(0o755)
    (own := tmp_path / "own").mkdir(mode=0o700)

    refused = shop("status")

    assert "remove it, or set XDG_RUNTIME_DIR to a folder of your own" in refused.stderr
    assert shop("status", XDG_RUNTIME_DIR=str(own)).returncode == 0
    (Path(os.environ["XDG_RUNTIME_DIR"]) / "devinit").rmdir()
    assert shop("status").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
class TestAFolderOfAnotherUsers:
    def test_of_records_is_replaced_by_one_that_a_variable_names(self, shop: Shop, tmp_path: Path) -> None:
        shop.service("web", **PATIENT)
        (state := Path(os.environ["XDG_STATE_HOME"], "devinit")).mkdir(parents=True, exist_ok=True)
        os.chown(state, 65534, 65534)
        (own := tmp_path / "own").mkdir()

        refused = shop("start", "--detach")
        helped = shop("start", "--detach", XDG_STATE_HOME=str(own))
        shop("stop", XDG_STATE_HOME=str(own))

        os.chown(state, 0, 0)
        assert "set XDG_STATE_HOME to a folder of your own" in refused.stderr
        assert helped.returncode == 0

    def test_in_the_checkout_is_removed(self, shop: Shop) -> None:
        shop.service("web", **PATIENT)
        (own := shop.root / ".devinit").mkdir(mode=0o700)
        os.chown(own, 65534, 65534)

        refused = shop("start", "--detach")

        assert refused.returncode != 0
        shell(f"rm -r {quote(str(own))}", shop.root)
        assert shop("start", "--detach").returncode == 0
