"""Specifies which commands the targets of a Makefile, a justfile and a Taskfile have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.commands.targets import Target, in_makefile, in_script, in_taskfile

MAKEFILE = """\
PORT ?= 8000
.PHONY: dev test

dev: install  ## start
\t@echo starting
\t@uvicorn app:app \\
\t    --port 8000

# more
test: ; pytest
run start:
\t-python manage.py runserver
"""
JUSTFILE = """\
set dotenv-load
port := "8000"

# start it
dev host="localhost": install
    @uvicorn app:app --host {{host}}

test:
    pytest
"""
TASKFILE = """\
version: '3'
vars:
  dev: x
tasks:
  build:
    cmd: go build ./...
  dev:
    desc: start
    deps: [build]
    cmds:
      - air
      - cmd: echo done
  db:up:
    cmds: ["docker compose up"]
"""


class TestAMakefile:
    def test_has_the_commands_of_each_target_with_their_lines(self) -> None:
        assert list(in_makefile(MAKEFILE)) == [
            Target("dev", "echo starting", 5),
            Target("dev", "uvicorn app:app --port 8000", 6),
            Target("run", "python manage.py runserver", 12),
        ]


class TestAJustfile:
    def test_has_recipes_with_parameters(self) -> None:
        assert list(in_makefile(JUSTFILE)) == [
            Target("dev", "uvicorn app:app --host {{host}}", 6),
            Target("test", "pytest", 9),
        ]


class TestATaskfile:
    def test_has_the_commands_of_each_task_with_their_lines(self) -> None:
        assert list(in_taskfile(TASKFILE)) == [
            Target("build", "go build ./...", 6),
            Target("dev", "air", 11),
            Target("dev", "echo done", 12),
            Target("db:up", '["docker compose up"]', 14),
        ]


class TestAScript:
    def test_has_a_command_a_line(self) -> None:
        assert list(in_script("#!/bin/sh\nset -e\n\nexec foreman start\n", "bin/dev")) == [
            Target("bin/dev", "set -e", 2),
            Target("bin/dev", "foreman start", 4),
        ]


@given(text=st.text(alphabet=st.sampled_from("dev:\t \n\\-@#;=c ms'\"[]{}"), max_size=80))
def test_no_text_stops_the_reading(text: str) -> None:
    for read in (in_makefile, in_taskfile):
        assert all(0 < each.line <= len(text.splitlines()) for each in read(text))
