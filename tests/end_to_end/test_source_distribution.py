"""The source distribution: what somebody who unpacks it can do with its own scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.end_to_end.guestbook import HERE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NEEDED_BY_SETUP = ("sh", "env", "dirname", "rm", "touch")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an unpacked source distribution, made from this checkout."""
    folder = tmp_path_factory.mktemp("distribution")
    built = run("uv", "build", "--quiet", "--sdist", "--out-dir", folder, HERE)
    if built.returncode != 0:
        pytest.skip(f"it cannot be built here: {built.stderr[-300:]}")
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def run(*words: object, cwd: Path = HERE, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


class TestTheSourceDistribution:
    def test_has_the_lock_file_that_its_setup_asks_for(self, unpacked: Path) -> None:
        said = run("scripts/setup", "runtime", cwd=unpacked)
        if "error sending request" in said.stderr or "Connection" in said.stderr:
            pytest.skip("there is no network")

        assert said.returncode == 0, said.stderr
        assert (unpacked / ".venv" / "bin" / "devinit").exists()

    def test_is_set_up_by_a_python_without_pip_that_has_ensurepip(
        self, unpacked: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / "unpacked"
        shutil.copytree(unpacked, folder, ignore=shutil.ignore_patterns(".venv"))
        made = run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "python")
        assert made.returncode == 0, made.stderr
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in NEEDED_BY_SETUP:
            (tools / name).symlink_to(shutil.which(name) or name)

        # Without an index: what is asked is whether there is a pip, not what it downloads.
        said = run(
            "scripts/setup", "runtime", cwd=folder, PATH=f"{tmp_path}/python/bin:{tools}", PIP_NO_INDEX="1"
        )

        assert "No module named pip" not in said.stderr
        assert run(folder / ".venv" / "bin" / "python", "-m", "pip", "--version").returncode == 0
