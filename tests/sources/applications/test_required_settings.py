"""Specifies which settings of pydantic are named that a server requires, and that nothing gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect

SERVER = "from fastapi import FastAPI\n\napp = FastAPI()\n"
SETTINGS = "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"


def notes(root: Path, fields: str, files: dict[str, str] | None = None) -> list[str]:
    """Return what is said about the settings of a server in api/ with these fields."""
    base = {"api/main.py": SERVER, "api/requirements.txt": "fastapi\n", "api/config.py": SETTINGS + fields}
    for name, text in {**base, **(files or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [note for note in detect(root).notes if "requires" in note]


def test_those_without_a_default_are_named(root: Path) -> None:
    assert notes(root, "    cloud_name: str\n    cloud_key: SecretStr\n    pages: int = 3\n") == [
        "api/: config.py requires CLOUD_NAME, CLOUD_KEY, which nothing gives: put a value of your own into api/.env"
    ]


def test_they_have_the_prefix_of_their_class(root: Path) -> None:
    (note,) = notes(root, '    model_config = SettingsConfigDict(env_prefix="SHOP_")\n    token: str\n')

    assert "SHOP_TOKEN, which" in note


@pytest.mark.parametrize("name", ["api/.env", "api/.env.example", "compose.yaml", "api/env.example"])
def test_what_a_file_names_is_not(root: Path, name: str) -> None:
    assert notes(root, "    cloud_name: str\n", {name: "# cloud_name=\n"}) == []


@pytest.mark.parametrize(
    "field",
    [
        "    database_url: str\n",
        "    redis_host: str\n",
        "    cors_origins: list[str]\n",
        "    mail: Mail\n",
        "    _hidden: str\n",
        "    kinds: ClassVar[list[str]]\n",
        '    key: str = Field(default="a")\n',
    ],
)
def test_what_devinit_may_give_and_what_is_no_variable_is_not(root: Path, field: str) -> None:
    assert notes(root, field) == []


def test_a_file_that_python_cannot_parse_says_nothing(root: Path) -> None:
    assert notes(root, "    cloud_name: str\n  (") == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('from decouple import config\nSECRET_KEY = config("SECRET_KEY")\n', "SECRET_KEY"),
        ('import environ\nKEY = env.str("SIGNING_KEY")\n', "SIGNING_KEY"),
        ('import os\nPAY = {"key": os.environ["PAY_KEY"]}\n', "PAY_KEY"),
    ],
)
def test_what_a_module_of_settings_asks_for_is_named(root: Path, text: str, names: str) -> None:
    (note,) = notes(root, "    pages: int = 3\n", {"api/settings.py": text})

    assert note.startswith(f"api/: settings.py requires {names}, which nothing gives")


@pytest.mark.parametrize(
    "text",
    [
        'from decouple import config\nA = config("SECRET_KEY", default="x")\n',
        'import os\ndef later():\n    return os.environ["PAY_KEY"]\n',
        'from decouple import config\nA = config("DB_HOST")\n',
        'import os\nos.environ["PAY_KEY"] = "1"\n',
    ],
)
def test_what_it_can_do_without_is_not(root: Path, text: str) -> None:
    assert notes(root, "    pages: int = 3\n", {"api/settings.py": text}) == []
