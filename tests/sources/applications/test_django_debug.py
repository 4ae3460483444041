"""Specifies when Django is given DEBUG: without it, it has no hosts and serves no static files."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'


def debug(root: Path, line: str, env: str = "") -> str | None:
    """Return the DEBUG that Django is given with this line in its settings."""
    files = {
        "manage.py": MANAGE,
        "requirements.txt": "django\n",
        "shop/settings.py": f"{line}\n",
        ".env": env,
    }
    for name, text in files.items():
        if text:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return detect(root).services["backend"].env.get("DEBUG")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('DEBUG = config("DEBUG", default=False, cast=bool)', "True"),
        ('DEBUG = config("DEBUG", cast=bool)', "True"),
        ("DEBUG = env('DEBUG')", "True"),
        ("DEBUG = os.getenv('DEBUG', 'False') == 'True'", "True"),
        ("DEBUG = os.environ.get('DEBUG') == '1'", "1"),
        ("DEBUG = bool(int(os.environ.get('DEBUG', 0)))", "1"),
        ("DEBUG = os.environ.get('DEBUG', 'false').lower() == 'true'", "true"),
    ],
)
def test_one_that_is_off_by_default_is_turned_on(root: Path, line: str, value: str) -> None:
    assert debug(root, line) == value


@pytest.mark.parametrize(
    "line",
    [
        "DEBUG = os.getenv('DEBUG', 'True') == 'True'",
        'DEBUG = config("DEBUG", default=True, cast=bool)',
        "DEBUG = True",
        "DEBUG = False",
    ],
)
def test_one_that_is_on_or_that_nothing_moves_is_left_alone(root: Path, line: str) -> None:
    assert debug(root, line) is None


def test_one_that_a_file_gives_is_left_alone(root: Path) -> None:
    assert debug(root, 'DEBUG = config("DEBUG", default=False, cast=bool)', "DEBUG=False\n") is None
