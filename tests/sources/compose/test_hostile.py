"""Specifies that no compose file, whatever it says, stops detection or makes it slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devinit.config.detected import detect
from devinit.kinds import kind_of
from devinit.model.names import variable_prefix
from devinit.model.service import Project
from devinit.runtime.templates import Reference, parse
from devinit.sources import compose
from devinit.system.bounds import bounds_of

Write = Callable[..., Path]
REAL = """\
x-env: &env
  DATABASE_URL: postgresql://app:${PW:-x}@db:5432/shop
services:
  db:
    image: postgres:16
    environment: {POSTGRES_USER: app, POSTGRES_DB: "${DB:?}"}
    ports: ["${P:-5450}:5432"]
  api:
    build: {context: ./api, target: dev, args: [A=1]}
    command: sh -c "alembic upgrade head && uvicorn main:app --host 0.0.0.0"
    environment: {<<: *env, HOST: db, LIST: '["http://localhost:3000"]'}
    env_file: [.env, {path: a.env, required: false}]
    volumes: [./api:/app, data:/data, {type: bind, source: ., target: /x}]
    depends_on: {db: {condition: service_healthy}, job: {condition: service_completed_successfully}}
    healthcheck: {test: [CMD, curl, "http://localhost:8000/health"]}
  job: {extends: api, command: [alembic, upgrade, head], restart: "no"}
  web: {image: node, volumes: ["./api:/w"], working_dir: /w, command: npm run dev, profiles: []}
"""
WORDS = st.lists(
    st.sampled_from(
        ["services:", "a:", "  ", "    ", "\n", "- ", "{", "}", "[", "]", "&x ", "*x", "<<: ", "image: ", "build: ",
         "postgres", "command: ", "environment: ", "ports: ", "1:2", "99999", "${", "$", "}", ":-", "depends_on: ",
         "extends: ", "include: ", "volumes: ", "/", "..", "\x00", "é", "!x ", "'", '"', "|", ">", "#", "null", ": "]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Return a file of a real shape in which a part is missing, doubled or something else."""
    text = REAL
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(start + draw(st.integers(0, 30)), len(text))
        new = draw(st.sampled_from(["", text[start:end] * 2]) | WORDS)
        text = text[:start] + new + text[end:]
    return text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=WORDS.map(lambda words: f"services:\n  {words}") | mutated())
def test_any_file_is_read_without_an_error(root: Path, text: str) -> None:
    (root / "api").mkdir(exist_ok=True)
    (root / "compose.yaml").write_text(text)
    (root / "api/Dockerfile").write_text(text)
    (root / ".env").write_text(text)

    found = compose.read(bounds_of(root))

    assert all(isinstance(each, str) for each in found.notes)
    assert all(each.directory.is_dir() for each in found.services.values())


def known_names(project: Project) -> set[str]:
    """Return the names that templates of a project may use."""
    names = {"DEVINIT_PROJECT", "PORT"}
    for each in project.services.values():
        prefix = variable_prefix(each.name)
        if each.port is not None:
            names |= {f"{prefix}_HOST", f"{prefix}_PORT"}
        if kind_of(each).has_databases:
            names |= {f"{prefix}_USER", f"{prefix}_PASSWORD", f"{prefix}_DB"}
        if getattr(each.settings, "password", None):
            names.add(f"{prefix}_PASSWORD")
    return names


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=mutated())
def test_no_template_names_what_is_not_known(root: Path, text: str) -> None:
    (root / "api").mkdir(exist_ok=True)
    (root / "api/Dockerfile").write_text("FROM python\nWORKDIR /app\nCMD uvicorn main:app\n")
    (root / "compose.yaml").write_text(text)

    project = detect(root)

    known = known_names(project)
    for service in project.services.values():
        for template in (service.command or "", *service.before_start, *service.env.values()):
            references = [each for each in parse(template, key="key") if isinstance(each, Reference)]
            assert {each.name for each in references if each.default is None} <= known
        assert set(service.depends_on) <= project.services.keys()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00services",
        b"services: \xff\xfe\n",
        b"\x00" * 1_000,
        b"services:\n  a: &a\n    extends: {service: a}\n  b: {extends: a}\n",
        b"services:\n" + b"".join(b"  s%d: {extends: s%d}\n" % (n, n + 1) for n in range(3_000)),
        b"services:\n" + b"".join(b"  s%d: {image: postgres}\n" % n for n in range(3_000)),
        b"services:\n  a:\n    build: .\n    environment:\n"
        + b"".join(b"      A%d: http://%s:1/%s\n" % (n, b"a" * 200, b"/" * 200) for n in range(900)),
        b"services:\n  a: {build: ., command: '" + b"a && " * 50_000 + b"'}\n",
        b"services:\n  a: {build: ., environment: {A: '" + b"${A:-" * 5_000 + b"'}}\n",
        b"services:\n  a: {build: " + b"x/" * 4_000 + b"}\n",
        b"include:\n" + b"".join(b"  - c%d.yaml\n" % n for n in range(3_000)),
        b"services:\n  a:\n    build: .\n    environment: {A: '" + b"http://a:1," * 700 + b"'}\n",
    ],
    ids=map(str, range(12)),
)
def test_a_hostile_file_is_read_in_time(root: Path, content: bytes) -> None:
    (root / "compose.yaml").write_bytes(content)
    (root / "Dockerfile").write_bytes(content)
    started = time.monotonic()

    found = compose.read(bounds_of(root))

    assert time.monotonic() - started < 5
    assert len(found.notes) <= 200


def test_values_that_name_values_are_bounded(root: Path) -> None:
    (root / "api").mkdir()
    (root / ".env").write_text(f"A={'x' * 7_000}db:5432\n" + "".join(f"B{n}=$A\n" for n in range(1_900)))
    services = "".join(f"  s{n}: {{build: ./api, command: flask run, env_file: .env}}\n" for n in range(90))
    (root / "compose.yaml").write_text(f"services:\n  db: {{image: postgres}}\n{services}")
    started = time.monotonic()

    found = compose.read(bounds_of(root))

    assert time.monotonic() - started < 20
    assert sum(len(value) for each in found.services.values() for value in each.env.values()) < 20_000_000


def test_a_named_pipe_is_not_waited_for(root: Path) -> None:
    import os

    os.mkfifo(root / "compose.yaml")
    os.mkfifo(root / "Dockerfile")

    assert compose.read(bounds_of(root)).services == {}
