"""Specifies which program a script of package.json comes down to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devinit.sources.applications.scripts import Run, harm_in, option, run_of


class TestAScript:
    @pytest.mark.parametrize(
        ("text", "words", "takes_flags"),
        [
            ("vite", "vite", True),
            ("tsc -b && NODE_ENV=development npx vite --open", "vite --open", True),
            ("dotenv -e ../../.env -- next dev", "next dev", True),
            ("cross-env A=1 env-cmd -f .env.local react-scripts start", "react-scripts start", True),
            ("pnpm exec astro dev", "astro dev", True),
            ("npm run inner", "vite dev", False),
            ("npm run inner --", "vite dev", True),
            ("pnpm inner", "vite dev", True),
            ("yarn with-env next dev", "next dev", True),
            ("./node_modules/.bin/vite", "vite", True),
            ('nodemon --exec "tsx src/index.ts"', "nodemon tsx src/index.ts", False),
            ("nodemon", "nodemon", True),
            ("cross-env NODE_ENV=development nodemon", "nodemon", True),
            ("bun src/index.ts", "bun src/index.ts", True),
            ("vite | tee log", "vite | tee log", False),
            ("concurrently a b", "", True),
            ("cd client && npm start", "", True),
            ("pnpm --filter web dev", "", True),
            ("npm --prefix web start", "", True),
            ("npm run missing", "", True),
            ("npm run loop", "", True),
            ("vite '", "", True),
            ("", "", True),
        ],
    )
    def test_is_looked_through(self, text: str, words: str, takes_flags: bool) -> None:
        scripts = {
            "dev": text,
            "inner": "vite dev",
            "loop": "npm run dev",
            "with-env": "dotenv -e ../.env --",
        }

        run = run_of("dev", scripts)

        assert " ".join(run.words) == words
        assert run.takes_flags == takes_flags or not words

    def test_names_what_it_sets(self) -> None:
        assert run_of("dev", {"dev": "PORT=3001 react-scripts start"}).env == {"PORT": "3001"}

    @given(
        st.dictionaries(
            st.sampled_from(["dev", "a", "b"]), st.text(alphabet="ab pn-&|;='\"$ run\n", max_size=80)
        )
    )
    def test_of_any_words_stops_nothing(self, scripts: dict[str, str]) -> None:
        assert isinstance(run_of("dev", scripts), Run)
        assert isinstance(harm_in("dev", scripts), str)


class TestAnOption:
    @pytest.mark.parametrize("text", ["--port 3005", "--port=3005", "-p 3005", "-p=3005", "-p3005"])
    def test_is_read_in_each_form(self, text: str) -> None:
        assert option(("next", "dev", *text.split()), ("--port", "-p")) == "3005"

    def test_that_is_missing_is_empty(self) -> None:
        assert option(("next", "dev", "--portal", "x"), ("--port", "-p")) == ""
