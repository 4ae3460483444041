"""Specifies what a person is asked about what was found, and which answer is the safe one."""

from __future__ import annotations

import json
from pathlib import Path

from devinit.config.detected import detect
from devinit.config.doubts import NONE, Doubt, doubts

PROGRAM = '<Project Sdk="Microsoft.NET.Sdk.Web"></Project>\n'
SETTINGS = json.dumps(
    {"profiles": {"http": {"commandName": "Project", "applicationUrl": "http://localhost:8080"}}}
)


def asked(root: Path, files: dict[str, str]) -> list[Doubt]:
    """Return the questions about a folder with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(doubts(detect(root)))


def test_two_copies_of_a_program_are_asked_about(tmp_path: Path) -> None:
    files = {f"{name}/{name}.csproj": PROGRAM for name in ("Shop", "Small")}
    files |= {f"{name}/Properties/launchSettings.json": SETTINGS for name in ("Shop", "Small")}

    (doubt,) = asked(tmp_path, files)

    assert doubt.question == "Shop/ and Small/ have the same program on port 8080. Which one is started?"
    assert doubt.safe == NONE
    assert [answer for answer, _ in doubt.choices] == [NONE, "small", "shop"]


def test_a_server_that_only_a_compose_file_names_is_asked_about(tmp_path: Path) -> None:
    files = {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "requirements.txt": "fastapi\n",
        "compose.yaml": "services:\n  redis:\n    image: redis:8\n",
    }

    (doubt,) = asked(tmp_path, files)

    assert doubt.question == (
        "redis is named in compose.yaml, line 3, and no package of the code reaches it. Is it needed?"
    )
    assert doubt.safe == NONE


def test_a_server_that_a_package_reaches_is_not(tmp_path: Path) -> None:
    files = {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "requirements.txt": "fastapi\nredis\n",
        "compose.yaml": "services:\n  redis:\n    image: redis:8\n",
    }

    assert asked(tmp_path, files) == []


def test_a_seed_that_runs_once_is_asked_about(tmp_path: Path) -> None:
    compose = (
        "services:\n  web:\n    build: .\n    command: uvicorn main:app\n    ports: ['8000:8000']\n    depends_on:\n"
        "      seed: {condition: service_completed_successfully}\n  seed:\n    build: .\n    command: python seed.py\n"
    )
    files = {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "seed.py": "",
        "requirements.txt": "fastapi\nuvicorn\n",
        "Dockerfile": "FROM python:3.14\nWORKDIR /app\nCOPY . .\n",
        "compose.yaml": compose,
    }

    (doubt,) = asked(tmp_path, files)

    assert doubt.question.startswith("seed runs `python seed.py` once on new data.")
    assert [answer for answer, _ in doubt.choices] == [NONE, "seed"]
