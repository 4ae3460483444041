"""Specifies `devinit.supervisor.diagnosis.build_errors` by what real tools printed while a file was broken and fixed.

The files in `outputs/builds` were recorded from the tools, with folders renamed and stacks cut.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devinit.supervisor.diagnosis.build_errors import Reading, may_say_something, read_on, sign_of
from devinit.supervisor.diagnosis.last_errors import LastErrors
from devinit.supervisor.logs.log_files import log_path

BUILDS = Path(__file__).parent / "outputs" / "builds"
NOW = 1_764_432_000.0

Seen = tuple[str, str | None, int | None] | None

TOLD: dict[str, list[Seen]] = {
    "vite-5": [
        ("Expected corresponding JSX closing tag for <p>.", "/home/ada/shop/src/App.jsx", 2),
        None,
        ('Failed to resolve import "clsx" from "src/App.jsx". Does the file exist?', "src/App.jsx", None),
        None,
        ("Expected corresponding JSX closing tag for <p>.", "/home/ada/shop/src/App.jsx", 2),
        None,
    ],
    "vite-5-others": [
        ("Element is missing end tag.", None, None),
        None,
        ("[vue/compiler-sfc] Unexpected token (2:6)", "/home/ada/shop/src/A.vue", None),
        None,
        ("</b> attempted to close an element that was not open", "/home/ada/shop/src/B.svelte", 1),
        None,
        ('ERROR: Unexpected "="', "/home/ada/shop/src/d.ts", 1),
        None,
        ('Failed to resolve import "./nothing.js" from "src/e.js". Does the file exist?', "src/e.js", None),
        None,
    ],
    "vite-7": [
        ("Expected corresponding JSX closing tag for <p>.", "/home/ada/shop/src/App.jsx", 2),
        None,
        (
            'Failed to resolve import "./nothing.css" from "src/App.jsx". Does the file exist?',
            "/home/ada/shop/src/App.jsx",
            1,
        ),
        None,
    ],
    "vite-8": [
        ("[PARSE_ERROR] Expected corresponding JSX closing tag for 'p'.", "src/App.jsx", 2),
        None,
        (
            'Failed to resolve import "./nothing.css" from "src/App.jsx". Does the file exist?',
            "/home/ada/shop/src/App.jsx",
            1,
        ),
        None,
        ("[PARSE_ERROR] Unexpected token", "vite.config.js", 1),
        None,
    ],
    "vite-8-missing": [
        (
            "[postcss] ENOENT: no such file or directory, open './nope.css'",
            "/home/ada/shop/src/styles.css",
            None,
        ),
        None,
        (
            'Failed to resolve import "./gone" from "src/App.tsx". Does the file exist?',
            "/home/ada/shop/src/App.tsx",
            1,
        ),
        None,
    ],
    "vite-7-config": [
        ("the secret is missing", "/home/ada/shop/vite.config.js", None),
        None,
        ('Unexpected "="', "vite.config.js", 3),
        None,
    ],
    "vite-7-config-at-start": [("the secret is missing", "/home/ada/shop/vite.config.js", None)],
    "vite-8-config-at-start": [("[PARSE_ERROR] Unexpected token", "vite.config.js", 3)],
    "sveltekit-config": [
        ("the secret is missing", "/home/ada/shop/svelte.config.js", None),
        None,
        ("Unexpected option config.kit.nonsense", "/home/ada/shop/svelte.config.js", None),
        None,
    ],
    "sveltekit-config-at-start": [("the secret is missing", "/home/ada/shop/svelte.config.js", 2)],
    "next-14": [
        ("Expected corresponding JSX closing tag for <div>", "/home/ada/shop/app/page.js", 1),
        ("no DATABASE_URL", "app/page.js", 1),
        None,
    ],
    "next-15": [("Expression expected", "/home/ada/shop/app/lib.js", 3), None],
    "next-16": [
        ("Expected corresponding JSX closing tag for <p>", "./app/page.js", 1),
        None,
        ("Module not found: Can't resolve './nothing'", "./app/page.js", 1),
        None,
        ("DATABASE_URL is missing", "app/page.js", 1),
        None,
    ],
    "webpack": [("Module parse failed: Unexpected token", "./src/index.js", 2), None],
    "tsc": [("error TS2322: Type 'string' is not assignable to type 'number'.", "src/a.ts", 1), None],
    "esbuild": [("Unexpected end of file", "src/index.js", 2), None],
    "uvicorn": [("SyntaxError: invalid syntax", "/home/ada/shop/main.py", 5), None],
    "django": [
        ("ModuleNotFoundError: No module named 'nothing_there'", "/home/ada/shop/shop/shop/urls.py", 23),
        None,
    ],
    "gunicorn": [("SyntaxError: '(' was never closed", "/home/ada/shop/lib.py", 1), None],
    "flask": [
        ("ModuleNotFoundError: No module named 'nothing_there'", "/home/ada/shop/app.py", 3),
        None,
    ],
}
"""What is known in turn while a recording goes on; None: no error."""


def looks(text: str) -> list[list[str]]:
    """Return a recording as it would be read: what comes after a file was saved comes later."""
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if sign_of(line) in ("clean", "begins", "reloads", "update"):
            parts.append([])
        parts[-1].append(line)
    return parts


def seen(reading: Reading) -> Seen:
    error = reading.error
    return (error.text, error.file, error.line) if error is not None else None


class TestWhatToolsPrint:
    @pytest.mark.parametrize("tool", TOLD)
    def test_tells_the_error_and_when_it_is_gone(self, tool: str) -> None:
        reading, told = Reading(), list[Seen]()

        for lines in looks(logged(BUILDS / f"{tool}.txt")):
            reading = read_on(lines, reading, NOW)
            if seen(reading) != (told[-1] if told else None):
                told.append(seen(reading))

        assert told == TOLD[tool]

    @pytest.mark.parametrize("tool", TOLD)
    def test_has_a_sign_that_is_found_without_reading_line_by_line(self, tool: str) -> None:
        lines = logged(BUILDS / f"{tool}.txt").splitlines()

        assert all(
            may_say_something(line)
            for line in lines
            if sign_of(line) in ("error", "begins", "reloads", "raises")
        )

    def test_of_requests_is_no_error_of_a_build(self) -> None:
        lines = [
            "INFO:     Application startup complete.",
            "ERROR:    Exception in ASGI application",
            "Traceback (most recent call last):",
            '  File "/home/ada/shop/main.py", line 3, in app',
            "ZeroDivisionError: division by zero",
        ]

        assert read_on(lines, Reading(), NOW).error is None


VITE_ERROR = "4:04:02 PM [vite] Internal server error: /shop/src/App.jsx: Unexpected token (2:4)"
VITE_5 = "4:04:02 PM [vite] Pre-transform error:"
UPDATE_OF_ANOTHER = "4:04:05 PM [vite] (client) hmr update /src/Other.jsx"


class TestAnError:
    @pytest.mark.parametrize(
        ("said", "file", "line"),
        [
            ([VITE_ERROR, "  File: /shop/src/App.jsx:2:4"], "/shop/src/App.jsx", 2),
            (
                [f"{VITE_5} /my shop/src/App.jsx: Unterminated JSX contents. (2:46)"],
                "/my shop/src/App.jsx",
                2,
            ),
            ([f'{VITE_5} Failed to resolve import "clsx" from "src/App.jsx".'], "src/App.jsx", None),
            (
                [
                    f"{VITE_5} Failed to load url ./a.js (resolved id: ./a.js) in /shop/src/+page.svelte. Does …"
                ],
                "/shop/src/+page.svelte",
                None,
            ),
        ],
    )
    def test_outlives_an_update_of_another_file(self, said: list[str], file: str, line: int | None) -> None:
        error = read_on([*said, UPDATE_OF_ANOTHER], Reading(), NOW, lambda _file: 7).error

        assert error is not None
        assert (error.file, error.line) == (file, line)

    def test_keeps_the_position_in_its_text_where_no_file_is_known(self) -> None:
        error = read_on([f"{VITE_5} Unexpected token (3:5)"], Reading(), NOW).error

        assert error is not None
        assert error.text == "Unexpected token (3:5)"

    def test_goes_with_an_update_once_its_file_has_changed(self) -> None:
        """Vite names the module that accepts the update, which imports the one that was fixed."""
        broken = read_on([VITE_ERROR, "  File: /shop/src/App.jsx:2:4"], Reading(), NOW, lambda _file: 7)

        assert read_on([UPDATE_OF_ANOTHER], broken, NOW, lambda _file: 8).error is None

    def test_goes_with_any_update_when_its_file_cannot_be_found(self) -> None:
        """It is named in a way that we do not read, or from another folder: nothing else would ever end it."""
        broken = read_on([VITE_ERROR, "  File: /shop/src/\\0App.jsx"], Reading(), NOW, lambda _file: None)

        assert read_on([UPDATE_OF_ANOTHER], broken, NOW, lambda _file: None).error is None

    @pytest.mark.parametrize(("file", "is_over"), [("src/gone.ts", True), ("src/begone.ts", False)])
    def test_of_a_missing_file_goes_when_that_file_appears(self, file: str, is_over: bool) -> None:
        """Vite names the new file alone: the one that imports it has not changed."""
        lines = [
            '4:04:02 PM [vite] Internal server error: Failed to resolve import "./gone" from "src/App.tsx".',
            "  File: /shop/src/App.tsx:1:7",
        ]
        broken = read_on(lines, Reading(), NOW, lambda _file: 7)

        after = read_on([f"4:04:05 PM [vite] (client) page reload {file}"], broken, NOW, lambda _file: 7)

        assert (after.error is None) is is_over

    def test_that_is_printed_again_keeps_the_time_of_the_first(self) -> None:
        first = read_on([VITE_ERROR, "  File: /shop/src/App.jsx:2:4"], Reading(), NOW)

        again = read_on([VITE_ERROR, "  File: /shop/src/App.jsx:2:4"], first, NOW + 9)

        assert again.error == first.error

    def test_goes_with_the_next_run(self) -> None:
        broken = read_on([VITE_ERROR], Reading(), NOW)

        assert read_on(["--- devinit: web starts on port 5173 at now ---"], broken, NOW).error is None

    @pytest.mark.parametrize(
        ("line", "gone_by"),
        [
            ("--- devinit: web starts on port 5173 at now ---", "run"),
            ("  VITE v7.3.8  ready in 163 ms", "build"),
            (UPDATE_OF_ANOTHER, "change"),
        ],
    )
    def test_is_followed_by_a_clean_build_only_when_a_build_said_so(
        self, tmp_path: Path, line: str, gone_by: str
    ) -> None:
        log = log_path(tmp_path, "web")
        log.parent.mkdir(parents=True)
        told: list[tuple[object, str | None]] = []
        last_errors = LastErrors(
            tmp_path, tmp_path, lambda _name: tmp_path, lambda _name, *said: told.append(said)
        )
        log.write_text(f"{VITE_ERROR}\n")
        last_errors.look("web")

        with log.open("a") as more:
            more.write(f"{line}\n")
        last_errors.look("web")

        assert told[1:] == [(None, gone_by)]

    def test_is_over_when_the_next_run_ends_without_saying_of_what(self, tmp_path: Path) -> None:
        """A worker that calls `sys.exit()` after a reload prints no traceback."""
        log = log_path(tmp_path, "web")
        log.parent.mkdir(parents=True)
        last_errors = LastErrors(
            tmp_path, tmp_path, lambda _name: tmp_path, lambda _name, _error, _gone_by: None
        )
        reloads = "WARNING:  WatchFiles detected changes in 'main.py'. Reloading...\n"
        log.write_text(f'{reloads}  File "main.py", line 3, in <module>\nKeyError: 1\n')
        assert last_errors.of("web") is not None

        with log.open("a") as more:
            more.write(f"{reloads}DATABASE_URL is missing\n")

        assert last_errors.of("web") is None

    @pytest.mark.parametrize(
        ("error", "file"),
        [
            ("4:04:02 PM [vite] Internal server error: {source}: Unexpected token (2:4)", "src/App.jsx"),
            (" \u2a2f ./src/App.jsx\nError:   x Expression expected\n   ,-[src/App.jsx:3:1]", None),
        ],
    )
    def test_names_a_file_to_ask_for_only_where_the_tool_serves_it(
        self, tmp_path: Path, error: str, file: str | None
    ) -> None:
        log, source = log_path(tmp_path, "web"), tmp_path / "src" / "App.jsx"
        log.parent.mkdir(parents=True)
        source.parent.mkdir()
        source.touch()
        last_errors = LastErrors(
            tmp_path, tmp_path, lambda _name: tmp_path, lambda _name, _error, _gone_by: None
        )
        log.write_text(error.format(source=source) + "\n")
        assert last_errors.of("web") is not None

        os.utime(source, (1, 1))

        assert last_errors.changed_file("web") == file


def logged(path: Path) -> str:
    """Return a recording as it is read from a log: without colours."""
    from devinit.supervisor.logs.log_files import COLOURS

    return COLOURS.sub("", path.read_text())


NEXT_ERROR = "\u2a2f ./app/page.js:1:1"


class TestAPageThatIsCompiled:
    @pytest.mark.parametrize("sign", [" \u25cb Compiling / ...", "\u25cb Compiling /_error ..."])
    @pytest.mark.parametrize(
        "end", [" \u2713 Compiled / in 22.8s (436 modules)", " GET / 500 in 5.6s (next.js: 5.4s)", NEXT_ERROR]
    )
    def test_counts_as_a_build_until_its_end_is_printed(self, tmp_path: Path, sign: str, end: str) -> None:
        log = log_path(tmp_path, "web")
        log.parent.mkdir(parents=True)
        last_errors = LastErrors(
            tmp_path, tmp_path, lambda _name: tmp_path, lambda _name, _error, _gone_by: None
        )
        log.write_text(f"{sign}\n")
        builds = last_errors.is_building("web")

        with log.open("a") as more:
            more.write(f"{end}\n")

        assert builds
        assert not last_errors.is_building("web")

    def test_keeps_the_error_that_is_known(self) -> None:
        broken = read_on([NEXT_ERROR], Reading(), NOW)

        shown = read_on(["\u25cb Compiling /_error ...", " GET / 500 in 5.6s"], broken, NOW)

        assert shown.error == broken.error
