"""The pages are held against the code: links, commands, options, configuration and the map."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

import devinit
from devinit import errors
from devinit.cli.main import COMMANDS
from devinit.config.schema import tables
from devinit.dashboard import preferences
from devinit.kinds import KINDS

ROOT = Path(__file__).parents[2]
SKIPPED = {"node_modules", "dist", "build", "site-packages"}
HOSTS = {
    "github.com",
    "keepachangelog.com",
    "semver.org",
    "preview.example",
    "host.docker.internal",
}
"""Where a link may lead, and whose names may stand in an example: what is reachable by everybody."""
LANGUAGES = {"console", "sh", "toml", "python", "js", "json", "text", "yaml"}
TABLES = {"project", "services", "tasks", "environment", "discovery", "profiles"}

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"`+([^`\n]+)`+")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s(/])devinit((?: -C \S+)*) ([a-z]+(?:-[a-z]+)*)([^|;&)<>#]*)")


def pages() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED and not name.startswith(".")]
        yield from (Path(folder) / name for name in files if name.endswith(".md"))


PAGES = sorted(pages())
MAP = ROOT / "docs" / "architecture.md"
MODULES = sorted(
    path
    for pattern in ("*/*.py", "ports/*/*.py", "supervisor/*/*.py")
    for path in (ROOT / "devinit").glob(pattern)
    if not path.stem.startswith("__")
)
"""What other packages inside of a package hold is explained there."""
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def command_of(path: Path) -> str:
    return path.stem.replace("_", "-")


def prose_of(text: str) -> str:
    return CODE_SPAN.sub("", FENCE.sub("", text))


def fences_of(text: str, *languages: str) -> list[str]:
    return [body for language, body in FENCE.findall(text) if language in languages]


def anchors_of(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield each use of devinit in a shell line or a code span: the command, and what follows it."""
    lines = [line.removeprefix("$ ") for body in fences_of(text, "sh") for line in body.splitlines()]
    for body in fences_of(text, "console"):
        lines += [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]
    for line in [*lines, *CODE_SPAN.findall(FENCE.sub("", text))]:
        for _, name, rest in COMMAND.findall(line):
            yield name, rest


@cache
def help_of(command: str) -> str:
    words = [sys.executable, "-m", "devinit", command, "--help"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@every_page
class TestAPage:
    def test_links_to_what_is_there(self, page: Path) -> None:
        text = page.read_text()

        for target in LINK.findall(prose_of(text)):
            parts = urlsplit(target)
            if parts.scheme:
                continue
            other = page.parent / unquote(parts.path) if parts.path else page
            assert other.exists(), f"{target} leads nowhere"
            if parts.fragment:
                assert parts.fragment in anchors_of(other.read_text()), f"{target}: no such heading"

    def test_names_no_host_that_is_not_everybodys(self, page: Path) -> None:
        hosts = {
            urlsplit(url).hostname or "" for url in re.findall(r"https?://[^\s)>\"'`,]+", page.read_text())
        }

        # RFC 6761: whatever ends with `.localhost` is this machine.
        public = {
            host
            for host in hosts
            if "." in host and not host.endswith(".localhost") and not re.fullmatch(r"[\d.]+", host)
        }
        assert public <= HOSTS

    def test_says_the_language_of_each_block(self, page: Path) -> None:
        text = page.read_text()

        assert text.count("\n```") == 2 * len(FENCE.findall(text))
        assert {language for language, _ in FENCE.findall(text)} <= LANGUAGES

    def test_has_whole_rows_in_its_tables(self, page: Path) -> None:
        torn, cells = [], 0
        for line in re.sub(r"(?ms)^```.*?^```", "", page.read_text()).splitlines():
            here = re.sub(r"`[^`]*`", "", line).count("|") if line.startswith("|") else 0
            torn += [line] if here and cells and here != cells else []
            cells = here and (cells or here)

        assert torn == []

    def test_uses_only_commands_that_exist(self, page: Path) -> None:
        unknown = {name for name, _ in commands_in(page.read_text()) if name not in COMMANDS}

        assert not unknown

    def test_uses_only_options_that_exist(self, page: Path) -> None:
        for name, rest in commands_in(page.read_text()):
            ours = rest.partition(" -- ")[0]
            for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", ours):
                assert re.search(rf"{option}\b", help_of(name)), f"devinit {name} has no {option}"

    def test_shows_configuration_that_is_accepted(self, page: Path) -> None:
        for body in fences_of(page.read_text(), "toml"):
            document = tomllib.loads(body)
            if set(document) <= set(preferences.TABLES):
                # The user's own file.
                assert preferences.preferences_of(body).problems == ()
                continue

            assert set(document) <= TABLES
            msgspec.convert(document, tables(tuple(KINDS.values())).file)

    def test_shows_python_that_uses_what_there_is(self, page: Path) -> None:
        for body in fences_of(page.read_text(), "python"):
            tree = ast.parse(body)

            attributes = [each for each in ast.walk(tree) if isinstance(each, ast.Attribute)]
            used = {each.attr for each in attributes if ast.unparse(each.value) == "devinit"}
            assert used <= set(devinit.__all__)
            compile(tree, str(page), "exec")

    def test_shows_json_that_is_json(self, page: Path) -> None:
        for body in fences_of(page.read_text(), "json"):
            json.loads(body)


class TestThePagesTogether:
    def test_mention_every_command(self) -> None:
        texts = [page.read_text() for page in PAGES]

        used = {name for text in texts for name, _ in commands_in(text)}
        listed = set(re.findall(r"`([a-z-]+)`", (ROOT / "README.md").read_text()))
        assert COMMANDS.keys() - used - listed == set()

    def test_are_all_listed_in_the_index(self) -> None:
        index = ROOT / "docs" / "README.md"
        listed = {(index.parent / target).resolve() for target in LINK.findall(index.read_text())}

        documents = {page for page in PAGES if page.is_relative_to(index.parent) and page != index}
        assert documents <= listed
        targets = LINK.findall(index.read_text())
        assert sorted(targets) == sorted(set(targets))

    def test_say_every_exit_code(self) -> None:
        classes = [each for each in vars(errors).values() if isinstance(each, type)]
        codes = {each.exit_code for each in classes if issubclass(each, errors.DevinitError)}

        table = (ROOT / "README.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]
        assert codes <= set(
            map(int, re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE))))
        )

    def test_show_an_example_of_the_ports_file_that_can_be_used(self) -> None:
        example = json.loads((ROOT / ".ports.json.example").read_text())

        assert all(isinstance(port, int) for port in example.values())


class TestTheMap:
    def test_has_a_place_for_every_module(self) -> None:
        named = set(re.findall(r"\w+", " ".join(CODE_SPAN.findall(MAP.read_text()))))

        commands = {path for path in MODULES if path.parent.name == "cli" and command_of(path) in COMMANDS}
        assert [str(path) for path in MODULES if path not in commands and path.stem not in named] == []

    def test_explains_each_thing_once_in_a_table(self) -> None:
        for table in re.findall(r"(?:^\|.*\n)+", MAP.read_text(), re.MULTILINE):
            first_cells = [row.split("|")[1] for row in table.splitlines()]
            named = [name for cell in first_cells for name in CODE_SPAN.findall(cell)]

            assert sorted(named) == sorted(set(named))

    def test_tells_of_every_event_and_method(self) -> None:
        text = MAP.read_text()
        handlers = (ROOT / "devinit" / "supervisor" / "server" / "handlers.py").read_text()
        events = (ROOT / "devinit" / "model" / "event.py").read_text()

        methods = re.findall(r'^    "(\w+)": Handlers\.', handlers, re.MULTILINE)
        kinds = re.findall(r'^    type: Literal\["(\w+)"\]', events, re.MULTILINE)
        assert methods
        assert kinds
        assert {*methods, *kinds} <= set(CODE_SPAN.findall(text))

    def test_tells_of_every_phase(self) -> None:
        status = ast.parse((ROOT / "devinit" / "model" / "status.py").read_text())
        [phases] = [each for each in status.body if isinstance(each, ast.ClassDef) and each.name == "Phase"]

        values = {
            each.value.value
            for each in phases.body
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
        }
        assert values <= set(CODE_SPAN.findall(MAP.read_text()))


class TestTheTableOfFaults:
    TEXT = (ROOT / "docs" / "reliability.md").read_text().partition("\n## Faults\n")[2].partition("\n## ")[0]

    def test_has_every_fault_with_its_tests(self) -> None:
        rows = [row.strip("|").split(" | ") for row in self.TEXT.splitlines() if row.startswith("| ")]
        numbers = [int(row[0]) for row in rows if row[0].strip().isdecimal()]

        assert numbers == list(range(1, 35))
        assert all("`tests/" in row[-1] for row in rows[1:])

    @pytest.mark.parametrize("test", re.findall(r"`(tests/[^`]+)`", TEXT))
    def test_names_tests_that_exist(self, test: str) -> None:
        path, _, name = test.partition("::")

        assert name
        assert re.search(rf"^\s*(?:class|def|async def) {name}\b", (ROOT / path).read_text(), re.MULTILINE), (
            f"{path} has no {name}"
        )


class TestTheDecisions:
    def test_are_numbered_without_gaps(self) -> None:
        numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]

        assert numbers == list(range(1, len(numbers) + 1))

    @pytest.mark.parametrize(
        "page", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda page: page.name[:4]
    )
    def test_say_what_they_cost(self, page: Path) -> None:
        text = page.read_text()

        sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert sections == ["Context", "Decision", "Consequences"]
        assert text.startswith(f"# {int(page.name[:4])}. ")
        assert "- Good: " in text
        assert "- Bad: " in text
