"""Specifies which secrets are named that a server of Node reads, and that nothing gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from devinit.config.detected import detect

PACKAGE = '{"name": "api", "scripts": {"start": "node index.js"}, "dependencies": {"express": "*"}}'
SERVER = 'const app = require("express")();\nrequire("./auth");\napp.listen(process.env.PORT || 3000);\n'
SIGNING = "jwt.sign({}, process.env.JWT_SECRET, {});\n"


def notes(root: Path, files: dict[str, str]) -> list[str]:
    """Return what is said about secrets of a server in api/ with these files."""
    for name, text in {"api/package.json": PACKAGE, "api/index.js": SERVER, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [note for note in detect(root).notes if "which nothing gives" in note]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (SIGNING, "JWT_SECRET"),
        ("const secret = process.env.SECRET_KEY;\n", "SECRET_KEY"),
        ("new Store(process.env.SESSION_SECRET as string)\n", "SESSION_SECRET"),
        ("const key = process.env.ACCESS_TOKEN_SECRET!\n", "ACCESS_TOKEN_SECRET"),
        ("mongoose.connect(process.env.MONGODB_URI);\n", "MONGODB_URI"),
        ("mongoose.connect(process.env.MONGO).then();\n", "MONGO"),
    ],
)
def test_one_that_is_read_without_a_default_is_named(root: Path, code: str, name: str) -> None:
    assert notes(root, {"api/lib/auth.js": code}) == [
        f"api/: lib/auth.js reads {name}, which nothing gives: put a value of your own into .env"
    ]


def test_several_are_named_once_each(root: Path) -> None:
    code = "sign(process.env.A_SECRET, process.env.B_SECRET);\nverify(process.env.A_SECRET);\n"

    assert notes(root, {"api/auth.js": code}) == [
        "api/: auth.js reads A_SECRET, B_SECRET, which nothing gives: put a value of your own into .env"
    ]


def test_no_more_than_five_are_named(root: Path) -> None:
    code = "".join(f"sign(process.env.K{number}_SECRET);\n" for number in range(7))

    (note,) = notes(root, {"api/auth.js": code})

    assert "K4_SECRET …, which" in note


@pytest.mark.parametrize(
    "code",
    [
        "const s = process.env.JWT_SECRET || 'dev';\n",
        "const s = process.env.JWT_SECRET ?? 'dev';\n",
        "if (process.env.JWT_SECRET === undefined) stop();\n",
        "const s = process.env.JWT_SECRET ? sign : pass;\n",
        "if (!process.env.JWT_SECRET) process.env.JWT_SECRET = 'dev';\nsign(process.env.JWT_SECRET);\n",
        "const s = process.env.GOOGLE_CLIENT_SECRET;\n",
        "const s = process.env.STRIPE_SECRET_KEY;\n",
        "const s = process.env.SECRETS;\n",
        "const s = process.env.NODE_ENV;\n",
    ],
)
def test_none_is_named_that_the_code_does_without(root: Path, code: str) -> None:
    assert notes(root, {"api/auth.js": code}) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("api/.env", "JWT_SECRET=x\n"),
        (".env.example", "JWT_SECRET=\n"),
        ("config/dev.env", "JWT_SECRET=x\n"),
        ("devinit.toml", '[environment]\nJWT_SECRET = "x"\n'),
        ("compose.yaml", "services: {api: {build: ./api, environment: {JWT_SECRET: x}}}\n"),
        ("api/nodemon.json", '{"env": {"JWT_SECRET": "x"}}\n'),
    ],
)
def test_none_is_named_that_a_file_names(root: Path, name: str, text: str) -> None:
    assert notes(root, {"api/auth.js": SIGNING, name: text}) == []


@pytest.mark.parametrize(
    "file", ["api/tests/auth.js", "api/auth.test.js", "api/jest.config.js", "elsewhere/auth.js"]
)
def test_none_is_named_of_other_code(root: Path, file: str) -> None:
    assert notes(root, {file: SIGNING}) == []
