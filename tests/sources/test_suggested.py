"""Specifies which commands of a repository are suggested as tasks: those with a name that start no server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.sources.commands.recipes import of_just, of_make, of_taskfile
from devinit.sources.suggested import are_possible
from devinit.sources.suggested.reading import meant_by, suggested

Write = Callable[..., Path]

SCRIPTS = {
    "dev": "vite",
    "preview": "vite preview --port 4000",
    "storybook": "storybook dev -p 6006",
    "start:all": "npm run dev",
    "build": "vite build",
    "prebuild": "rimraf dist",
    "postinstall": "prisma generate",
    "prettier": "prettier --check .",
    "lint": "eslint .",
    "test:unit": "vitest run",
    "--odd": "x",
    "count": 3,
}
MAKEFILE = """\
PYTHON ?= python
.PHONY: test lint run deploy
CFLAGS := -O2

test: deps  ## Run the tests
\t@$(PYTHON) -m pytest \\
\t  -q
\t-rm -rf .cache

check: lint test
lint:
\truff check .
run:
\tuvicorn app:app --port 8000
serve-docs:
\tmkdocs serve
dist/app.js: src
\tesbuild src
debug: CFLAGS = -g
%.o: %.c
\tcc $<
"""
JUSTFILE = """\
set shell := ["bash", "-c"]
alias t := test
version := "1"

# Run the tests
test *args='':
    @pytest {{args}}

[private]
hidden:
    true
_also-hidden:
    true
@fmt target="all":
    ruff format
dev:
    vite
"""
TASKFILE = """\
version: '3'
tasks:
  lint:
    desc: Look for mistakes
    cmds:
      - ruff check .
  default:
    cmds: [task -l]
  short: echo short
  "db:seed":
    cmds:
      - task: lint
      - cmd: python seed.py
        silent: true
  hidden: {internal: true, cmds: ["true"]}
"""


class TestTheScriptsOfAPackage:
    def test_are_suggested_unless_they_serve_or_are_run_by_themselves(self, write: Write, root: Path) -> None:
        write("package.json", json.dumps({"scripts": SCRIPTS}, indent=1))
        write("pnpm-lock.yaml")

        found = {each.name: each for each in suggested(root)}

        assert list(found) == ["build", "prettier", "lint", "test:unit"]
        lint = found["lint"]
        assert (lint.file, lint.line, lint.says) == ("package.json", 11, "eslint .")
        assert (lint.words, lint.directory) == (("pnpm", "run", "lint"), root)

    def test_of_npm_get_arguments_behind_dashes(self, write: Write, root: Path) -> None:
        write("web/package.json", '{"scripts": {"lint": "eslint ."}}')

        [lint] = suggested(root, [root / "web"])

        assert lint.full_name == "web/package.json:lint"
        assert lint.with_arguments(["--fix"]) == ["npm", "run", "lint", "--", "--fix"]
        assert lint.with_arguments([]) == ["npm", "run", "lint"]


class TestTargets:
    def test_of_a_makefile_are_those_that_are_no_files_and_no_servers(self, write: Write, root: Path) -> None:
        write("Makefile", MAKEFILE)

        found = {each.name: each for each in suggested(root)}

        assert list(found) == ["test", "check", "lint"]
        assert found["test"].description == "Run the tests"
        assert found["test"].says == "$(PYTHON) -m pytest -q && rm -rf .cache"
        assert found["check"].says == ""
        assert found["lint"].words == ("make", "lint")

    def test_of_a_justfile_are_its_public_recipes(self) -> None:
        found = {each.name: each for each in of_just(JUSTFILE)}

        assert list(found) == ["test", "fmt", "dev"]
        assert found["test"].description == "Run the tests"
        assert found["test"].commands == ("pytest {{args}}",)

    def test_of_a_taskfile_are_its_tasks(self) -> None:
        found = {each.name: each for each in of_taskfile(TASKFILE)}

        assert {name: each.commands for name, each in found.items()} == {
            "lint": ("ruff check .",),
            "default": ("task -l",),
            "short": ("echo short",),
            "db:seed": ("python seed.py",),
        }
        assert (found["lint"].line, found["lint"].description) == (3, "Look for mistakes")

    def test_that_several_rules_have_are_one(self) -> None:
        [test] = of_make("test: a\ntest: b ## Tests\n\tpytest\n")

        assert (test.commands, test.description) == (("pytest",), "Tests")


class TestAName:
    def test_means_the_one_file_that_it_names(self, write: Write, root: Path) -> None:
        write("package.json", '{"scripts": {"lint": "eslint ."}}')
        write("Makefile", "lint:\n\truff check .\n")
        found = suggested(root)

        assert len(meant_by("lint", found)) == 2
        assert [each.words for each in meant_by("Makefile:lint", found)] == [("make", "lint")]
        assert meant_by("lin", found) == []


class TestALookBefore:
    @pytest.mark.parametrize(
        ("text", "name", "possible"),
        [
            ('{"scripts": {"lint": "x"}}', "lint", True),
            ('{"scripts": {"lint": "x"}}', "package.json:lint", True),
            ('{"scripts": {"lint": "x"}}', "pytest", False),
            ('{"scripts": {"l\\u0069nt": "x"}}', "lint", True),
            ('{"scripts": {"lint": "x"}}', "", True),
        ],
    )
    def test_tells_whether_a_file_has_the_name(
        self, write: Write, root: Path, text: str, name: str, possible: bool
    ) -> None:
        write("package.json", text)

        assert are_possible([str(root)], name) is possible
        assert not are_possible([str(root / "nowhere")], name)

    def test_waits_for_no_pipe(self, root: Path) -> None:
        os.mkfifo(root / "Makefile")

        assert not are_possible([str(root)], "lint")


class TestReading:
    def test_follows_no_link_out_of_the_repository_and_waits_for_no_pipe(
        self, write: Write, root: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "elsewhere.mk").write_text("secret:\n\tcat /etc/passwd\n")
        (root / "Makefile").symlink_to(tmp_path / "elsewhere.mk")
        os.mkfifo(root / "justfile")
        (tmp_path / "package.json").write_text('{"scripts": {"lint": "eslint ."}}')
        (root / "package.json").symlink_to(tmp_path / "package.json")

        assert suggested(root) == []

    @pytest.mark.parametrize("text", ["[]", "{", '{"scripts": []}', '{"scripts": {"a": ["b"]}}', "\0"])
    def test_of_an_odd_package_finds_nothing(self, write: Write, root: Path, text: str) -> None:
        write("package.json", text)

        assert suggested(root) == []

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        text=st.lists(
            st.sampled_from(
                [*MAKEFILE.splitlines(), *JUSTFILE.splitlines(), *TASKFILE.splitlines(), "\\", "\t:"]
            )
            | st.text(max_size=20),
            max_size=15,
        ).map("\n".join)
    )
    def test_never_raises(self, text: str) -> None:
        for recipes in (of_make, of_just, of_taskfile):
            for each in recipes(text):
                assert each.name
                assert each.line >= 1
