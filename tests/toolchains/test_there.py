"""Specifies which version a program has: by the files around it, else by asking it once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from devinit.system.bounds import bounds_of
from devinit.toolchains.there import Versions
from devinit.toolchains.versions import Version


def program(path: Path, text: str = "\x7fELF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def versions(
    tmp_path: Path, environment: dict[str, str] | None = None, *, only_looks: bool = False
) -> Versions:
    for name in ("checkout", "state"):
        (tmp_path / name).mkdir(exist_ok=True)
    bounds = bounds_of(tmp_path / "checkout")
    kept = tmp_path / "state" / "versions.json"
    return Versions(bounds, kept, environment or dict(os.environ), only_looks=only_looks)


def known(tmp_path: Path, tool: str, path: Path) -> Version | None:
    return versions(tmp_path).of(tool, path, tmp_path, asks=False).version


class TestFiles:
    def test_of_nodes_archive_tell(self, tmp_path: Path) -> None:
        node = program(tmp_path / "node-v20/bin/node")
        header = tmp_path / "node-v20/include/node/node_version.h"
        header.parent.mkdir(parents=True)
        header.write_text(
            "#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 11\n#define NODE_PATCH_VERSION 1\n"
        )

        assert known(tmp_path, "node", node) == (20, 11, 1)

    @pytest.mark.parametrize(
        ("tool", "path", "version"),
        [
            ("node", ".nvm/versions/node/v22.3.0/bin/node", (22, 3, 0)),
            ("python", ".pyenv/versions/3.12.4/bin/python3.12", (3, 12, 4)),
            ("python", "uv/python/cpython-3.13.1-linux-x86_64-gnu/bin/python3.13", (3, 13, 1)),
            ("python", "usr/bin/python3.11", (3, 11)),
            ("ruby", "installs/ruby/3.3.0/bin/ruby", (3, 3, 0)),
            ("node", "usr/bin/node", None),
        ],
    )
    def test_may_be_folders_that_are_called_after_the_version(
        self, tmp_path: Path, tool: str, path: str, version: Version | None
    ) -> None:
        assert known(tmp_path, tool, program(tmp_path / path)) == version

    @pytest.mark.parametrize(
        "content",
        ["home = /usr/bin\nversion = 3.11.7\n", "version_info = 3.11.7\n", "version_info = 3.11.7.final.0\n"],
        ids=["venv", "uv", "virtualenv"],
    )
    def test_of_an_environment_tell_for_each_of_its_programs(self, tmp_path: Path, content: str) -> None:
        uvicorn = program(tmp_path / "checkout/.venv/bin/uvicorn")
        (tmp_path / "checkout/.venv/pyvenv.cfg").write_text(content)

        assert known(tmp_path, "python", uvicorn) == (3, 11, 7)

    def test_of_go_tell(self, tmp_path: Path) -> None:
        go = program(tmp_path / "go/bin/go")
        (tmp_path / "go/VERSION").write_text("go1.26.8\ntime 2026-08-28T16:20:06Z\n")

        assert known(tmp_path, "go", go) == (1, 26, 8)

    def test_of_a_package_manager_tell(self, tmp_path: Path) -> None:
        pnpm = program(tmp_path / "lib/pnpm/bin/pnpm.cjs")
        (tmp_path / "lib/pnpm/package.json").write_text('{"name": "pnpm", "version": "9.15.0"}')
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/pnpm").symlink_to(pnpm)

        assert known(tmp_path, "pnpm", tmp_path / "bin/pnpm") == (9, 15, 0)

    def test_of_corepack_tell_nothing_about_what_it_stands_for(self, tmp_path: Path) -> None:
        pnpm = program(tmp_path / "lib/corepack/dist/pnpm.js")
        (tmp_path / "lib/corepack/package.json").write_text('{"name": "corepack", "version": "0.34.0"}')

        assert known(tmp_path, "pnpm", pnpm) is None


class TestAProgramThatNoFileTellsAbout:
    @pytest.fixture
    def count(self, tmp_path: Path) -> Path:
        return tmp_path / "count"

    @pytest.fixture
    def ruby(self, tmp_path: Path, count: Path) -> Path:
        return program(
            tmp_path / "bin/ruby", f"#!/bin/sh\necho x >>{count}\necho 'ruby 3.3.1p55 (2024) [x86]'\n"
        )

    def test_is_asked_once(self, tmp_path: Path, ruby: Path, count: Path) -> None:
        said = [versions(tmp_path).of("ruby", ruby, tmp_path).version for _ in range(3)]

        assert said == [(3, 3, 1)] * 3
        assert count.read_text() == "x\n"

    def test_is_asked_again_when_it_was_replaced(self, tmp_path: Path, ruby: Path, count: Path) -> None:
        versions(tmp_path).of("ruby", ruby, tmp_path)
        program(ruby, "#!/bin/sh\necho ruby 3.4.0\n")

        assert versions(tmp_path).of("ruby", ruby, tmp_path).version == (3, 4, 0)

    def test_is_not_asked_where_that_is_not_wanted(self, tmp_path: Path, ruby: Path, count: Path) -> None:
        assert versions(tmp_path).of("ruby", ruby, tmp_path, asks=False).version is None
        assert not count.exists()

    def test_says_why_it_does_not_run(self, tmp_path: Path) -> None:
        shim = program(
            tmp_path / "pyenv/shims/python",
            "#!/bin/sh\necho \"pyenv: version '3.12' is not installed\" >&2\nexit 1\n",
        )

        there = versions(tmp_path).of("python", shim, tmp_path)

        assert (there.version, there.complaint) == (None, "pyenv: version '3.12' is not installed")

    def test_is_asked_again_when_the_folder_chooses_another(self, tmp_path: Path) -> None:
        shim = program(tmp_path / "pyenv/shims/python", '#!/bin/sh\necho "Python $(cat .python-version)"\n')
        (tmp_path / ".python-version").write_text("3.12.1")
        before = versions(tmp_path).of("python", shim, tmp_path).version
        (tmp_path / ".python-version").write_text("3.13.10")

        assert before == (3, 12, 1)
        assert versions(tmp_path).of("python", shim, tmp_path).version == (3, 13, 10)

    @pytest.mark.parametrize("is_linked", [False, True])
    def test_is_never_run_when_the_repository_brings_it(
        self, tmp_path: Path, ruby: Path, count: Path, is_linked: bool
    ) -> None:
        hostile = tmp_path / "checkout/node_modules/.bin/ruby"
        if is_linked:
            hostile.parent.mkdir(parents=True)
            hostile.symlink_to(ruby)
        else:
            program(hostile, ruby.read_text())

        assert versions(tmp_path).of("ruby", hostile, tmp_path).version is None
        assert not count.exists()

    @pytest.mark.parametrize("folder", ["checkout/.devinit", "checkout/.git/hooks", "tools"])
    def test_is_never_run_from_any_folder_of_the_repository(
        self, tmp_path: Path, ruby: Path, count: Path, folder: str
    ) -> None:
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git/HEAD").touch()
        hostile = program(tmp_path / folder / "ruby", ruby.read_text())

        assert versions(tmp_path).of("ruby", hostile, tmp_path).version is None
        assert not count.exists()


class TestALookAtARepository:
    """Nobody has asked for a start: the repository must not choose what is run."""

    ANSWER = "#!/bin/sh\necho 'ruby 3.3.1'\n"

    def looked_at(self, tmp_path: Path, ruby: Path, path: Path) -> Version | None:
        environment = {"PATH": f"{path}:{os.defpath}", "HOME": str(tmp_path)}
        return versions(tmp_path, environment, only_looks=True).of("ruby", ruby, tmp_path).version

    def test_asks_what_the_path_of_the_caller_has(self, tmp_path: Path) -> None:
        (tmp_path / "bin").mkdir()
        printf = shutil.which("true")
        assert printf is not None
        shutil.copy(printf, tmp_path / "bin/ruby")

        assert self.looked_at(tmp_path, tmp_path / "bin/ruby", tmp_path / "bin") != (3, 3, 1)
        assert json.loads((tmp_path / "state/versions.json").read_text())

    def test_does_not_ask_the_stand_in_of_a_version_manager(self, tmp_path: Path) -> None:
        shim = program(tmp_path / "asdf/shims/ruby", self.ANSWER)

        assert self.looked_at(tmp_path, shim, shim.parent) is None

    def test_does_not_ask_what_a_command_names_by_its_path(self, tmp_path: Path) -> None:
        ruby = program(tmp_path / "elsewhere/ruby", self.ANSWER)

        assert self.looked_at(tmp_path, ruby, tmp_path / "bin") is None

    def test_remembers_what_a_start_has_asked(self, tmp_path: Path) -> None:
        shim = program(tmp_path / "asdf/shims/ruby", self.ANSWER)
        environment = {"PATH": f"{shim.parent}:{os.defpath}", "HOME": str(tmp_path)}
        versions(tmp_path, environment).of("ruby", shim, tmp_path)

        assert self.looked_at(tmp_path, shim, shim.parent) == (3, 3, 1)
