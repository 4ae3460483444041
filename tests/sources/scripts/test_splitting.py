"""Specifies what a script starts: the programs of concurrently and npm-run-all, and what `&` joins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.commands.splitting import Part, Prefix, Split, prefix_of, split

SCRIPTS = {
    "dev": "concurrently npm:dev:*",
    "dev:web": "vite",
    "dev:api": "node server.js",
    "dev:api:debug": "node --inspect server.js",
    "build": "tsc",
    "watch:css": "tailwindcss --watch",
}


def parts(text: str) -> list[tuple[str, str]]:
    found = split(text, SCRIPTS, "pnpm")
    return [(each.name, each.command) for each in found.parts] if found else []


class TestConcurrently:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ('concurrently "npm run web" "npm run api"', [("", "npm run web"), ("", "npm run api")]),
            ("concurrently 'vite' 'tsc -w'", [("", "vite"), ("", "tsc -w")]),
            (
                'concurrently -k -n web,api -c "blue.bold,green" "vite" "cd api && uv run uvicorn a:b --port 8000"',
                [("web", "vite"), ("api", "cd api && uv run uvicorn a:b --port 8000")],
            ),
            (
                "npx concurrently --kill-others-on-fail --names 'web|api' --name-separator '|' vite 'node x'",
                [("web", "vite"), ("api", "node x")],
            ),
            ("concurrently -kn=web,api vite 'node x'", [("web", "vite"), ("api", "node x")]),
            ("concurrently -rn web vite 'node x'", [("web", "vite"), ("", "node x")]),
            (
                "concurrently npm:build yarn:watch:css",
                [("", "npm run build"), ("", "yarn run watch:css")],
            ),
            (
                'concurrently "npm:dev:*"',
                [
                    ("web", "npm run dev:web"),
                    ("api", "npm run dev:api"),
                    ("api:debug", "npm run dev:api:debug"),
                ],
            ),
            ('concurrently "pnpm:dev:*(!api|api:debug)"', [("web", "pnpm run dev:web")]),
            ('concurrently "npm run dev:*b"', [("we", "npm run dev:web")]),
            ('concurrently "pnpm:dev:w* -- --open"', [("eb", "pnpm run dev:web -- --open")]),
            ("concurrently node:build", [("", "node --run build")]),
            ("DEBUG=1 concurrently vite 'node x'", [("", "vite"), ("", "node x")]),
            ("cross-env A=b C=d concurrently vite", [("", "vite")]),
            (
                "NODE_ENV=development yarn concurrently -n web 'vite' 'node x'",
                [("web", "vite"), ("", "node x")],
            ),
            (". $(cd x && pwd)/bin/activate && concurrently 'vite' 'node x'", [("", "vite"), ("", "node x")]),
            ("concurrently", []),
            ('concurrently "npm:nothing:*"', []),
        ],
    )
    def test_starts_its_commands_by_their_names(self, text: str, found: list[tuple[str, str]]) -> None:
        assert parts(text) == found

    def test_may_stand_behind_what_has_to_end_first(self) -> None:
        assert split("npm run build && rm -rf x; concurrently vite 'tsc -w'", SCRIPTS, "npm") == Split(
            (Part("vite"), Part("tsc -w")), ("npm run build", "rm -rf x")
        )


class TestNpmRunAll:
    @pytest.mark.parametrize(
        ("text", "found", "before"),
        [
            ("run-p dev:*", [("", "pnpm run dev:web"), ("", "pnpm run dev:api")], ()),
            (
                "run-p dev:**",
                [("", f"pnpm run dev:{name}") for name in ("web", "api", "api:debug")],
                (),
            ),
            (
                "npm-run-all -p dev:web dev:api",
                [("", "pnpm run dev:web"), ("", "pnpm run dev:api")],
                (),
            ),
            (
                "npm-run-all build --parallel dev:web watch:*",
                [("", "pnpm run dev:web"), ("", "pnpm run watch:css")],
                ("pnpm run build",),
            ),
            ("run-s build dev:web", [("", "pnpm run dev:web")], ("pnpm run build",)),
            (
                'run-p -l "dev:web -- --open" build',
                [("", "pnpm run dev:web -- --open"), ("", "pnpm run build")],
                (),
            ),
            ("run-p --max-parallel 2 build", [("", "pnpm run build")], ()),
        ],
    )
    def test_starts_scripts_in_steps(
        self, text: str, found: list[tuple[str, str]], before: tuple[str, ...]
    ) -> None:
        assert parts(text) == found
        result = split(text, SCRIPTS, "pnpm")
        assert result is not None
        assert result.before == before


class TestAnAmpersand:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("npm run api & npm run web", ["npm run api", "npm run web"]),
            ("node server.js & vite & wait", ["node server.js", "vite"]),
            ("(cd api && node x.js) & (cd web && vite)", ["cd api && node x.js", "cd web && vite"]),
            ("node a.js > log 2>&1 & vite", ["node a.js > log 2>&1", "vite"]),
            ("node server.js &", ["node server.js"]),
        ],
    )
    def test_starts_both_sides(self, text: str, found: list[str]) -> None:
        assert [command for _, command in parts(text)] == found

    @pytest.mark.parametrize(
        "text", ["npm i && vite", "vite 2>&1", "echo 'a & b'", "vite", "turbo dev", "", "'"]
    )
    def test_that_is_none_splits_nothing(self, text: str) -> None:
        assert split(text, SCRIPTS, "npm") is None


class TestAPrefix:
    @pytest.mark.parametrize(
        ("text", "prefix"),
        [
            ("vite", Prefix()),
            ("A=b cross-env C=d turbo dev", Prefix((("A", "b"), ("C", "d")))),
            ("dotenv -- turbo dev", Prefix()),
            ("dotenv -e .env.local -e .env -- turbo dev", Prefix((), (".env.local", ".env"))),
            ("env-cmd -f .env.dev nx run-many -t dev", Prefix((), (".env.dev",))),
            ("dotenvx run -f .env.x -- turbo dev", Prefix((), (".env.x",))),
            ("dotenv -v A=b -- vite", Prefix()),
            ("PORT=3000 A=$B concurrently vite", Prefix()),
        ],
    )
    def test_holds_for_all_that_the_program_starts(self, text: str, prefix: Prefix) -> None:
        assert prefix_of(text.split()) == prefix


WORDS = st.lists(
    st.sampled_from(
        [
            "concurrently", "run-p", "run-s", "npm-run-all", "-n", "-kn", "a,b", "npm:dev:*", "dev:*", "**", "&",
            "&&", ";", "(", ")", "'vite'", '"', "'", "npm:", "*", "(!x)", "-p", "--names=", "--", "A=b", "cd a",
            "wait", "\\",
        ]
    ),
    max_size=8,
).map(" ".join)  # fmt: skip


@given(text=st.one_of(WORDS, st.text(max_size=60)), name=st.text(max_size=9))
def test_no_text_stops_the_reading(text: str, name: str) -> None:
    found = split(text, {**SCRIPTS, name: text}, "npm")

    assert found is None or found.parts
