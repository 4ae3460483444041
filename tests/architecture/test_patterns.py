"""Specifies that texts of a repository and of services are searched in a time that grows with their length."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from msgspec.structs import asdict

from devinit.errors import ConfigError
from devinit.kinds.postgres import extensions
from devinit.logs import levels, links, printed, records, requests
from devinit.model.launcher import is_job_worker
from devinit.runtime.dotenv import render
from devinit.sources.commands import command, left_out, programs, services, targets
from devinit.sources.procfile import lines, numbering
from devinit.supervisor.diagnosis import build_table, cause_table, causes, log_records, remedies, workers
from devinit.supervisor.logs import log_files
from devinit.supervisor.logs.access_lines import request_of
from devinit.supervisor.readiness import scheme_hints
from devinit.system.matching import PatternTooSlow, bounded
from devinit.text import COLOUR, LINK, SEQUENCES
from tests.architecture.patterns import Found, hostile_texts, patterns

LONG = 100_000
IN_TEXT = {
    "options": (re.compile(scheme_hints.HINTS), "-" * LONG),
    "comments": (re.compile(scheme_hints.COMMENT), "x" + "\n" * LONG + "x"),
    "processes": (lines._LINE, "a" * LONG),
    "processes with a command": (lines._LINE, "a:" + " " * LONG),
    "quotes": (command._QUOTED, "'" + '"' * LONG + "\\"),
    "opaque": (command._OPAQUE, ">&" * (LONG // 2)),
    "changes of folder": (command._CHANGE, "cd a" + " " * LONG),
    "uses of the port": (command._USE, "${PORT" * (LONG // 6)),
    "stated ports": (command._STATED, "A=1 " * (LONG // 4)),
    "stated ports in one word": (command._STATED, "PORT=" * (LONG // 5)),
    "exported ports": (command._EXPORTED, "export PORT=1" * (LONG // 13)),
    "other folders": (command._ELSEWHERE, " --prefix" * (LONG // 9)),
    "ports in another form": (command._NAMED_OTHERWISE, "-p" * (LONG // 2)),
    "ports of a program that is not known": (
        re.compile(rf"(?<!\S){programs.SCRIPT_PORT}"),
        "-p" * (LONG // 2),
    ),
    "long ports of a program that is not known": (
        re.compile(rf"(?<!\S){programs._LONG_PORT}"),
        "--port " * (LONG // 7),
    ),
    "what ends others": (programs.ENDS_OTHERS, "kill-" * (LONG // 5)),
    "assignments": (programs._ASSIGNMENT, "A" * LONG),
    "targets": (targets._TARGET, "a " * (LONG // 2)),
    "names of targets": (targets._TARGET, "a" * LONG),
    "tasks": (targets._TASK, "a:" * (LONG // 2)),
    "production": (left_out._PRODUCTION, "A_" * (LONG // 2)),
    "ports of databases": (services._PORT_OPTION, "--port " * (LONG // 7)),
    **{
        f"ports of {name}": (re.compile(rf"(?<!\S){server.form}(?!\S)"), "a.b:" * (LONG // 4))
        for name, server in programs.SERVERS.items()
    },
    **{
        f"the first port in {name}": (each, "PORT=" * (LONG // 5))
        for name, each in numbering._SETTINGS.items()
    },
    "the first port after blanks": (numbering._SETTINGS[".env"], "PORT" + " " * LONG),
    "requests": (request_of(["/health"]), "GET " * (LONG // 20)),
}
IN_BYTES = {
    "calls": (extensions._CALLED, b"enable_extension" + b" " * LONG),
    "prisma": (extensions._PRISMA, b"\nextensions = [" * (LONG // 20)),
    "prisma names": (extensions._PRISMA_NAME, b"a(" * (LONG // 20)),
}
"""The square of these lengths would take minutes."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", IN_TEXT)
def test_a_pattern_is_done_with_a_hostile_text_at_once(name: str) -> None:
    pattern, text = IN_TEXT[name]

    assert sum(1 for _ in pattern.finditer(text)) in range(len(text))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", IN_BYTES)
def test_a_pattern_is_done_with_a_hostile_file_at_once(name: str) -> None:
    pattern, text = IN_BYTES[name]

    assert sum(1 for _ in pattern.finditer(text)) in range(len(text))


HOSTILE = {
    "one word": ("", "a"),
    "a task of Gradle": (":", "a"),
    "a task of Gradle and errors": (":", "Error"),
    "a task of Gradle and a file": (":", "kt"),
    "a package of Composer": (" - ", "/"),
    "packages of Composer": (" - ", "a/a "),
    "a frame of Ruby": ("a:1:in `", "': a:1:in `"),
    "the end of a frame of Ruby": ("a:1:in `a': ", "': "),
    "a thread of Rust": ("thread '", "' panicked at '"),
    "the end of a thread of Rust": ("thread 'a' panicked at '", "', "),
    "a place of Rolldown": ("", "\u2500[ "),
    "a place of tsc": ("", "a.ts("),
    "files": ("", "/a.ts"),
    "spaces": ("", " "),
    "quotes": ("", "'"),
    "double quotes": ('level=error msg="', '\\"'),
    "fields": ("level=error ", 'a="'),
    "brackets": ("", "["),
    "escapes": ("", "\x1b["),
    "titles": ("", "\x1b]"),
    "digits": ("", "1:1"),
    "errors": ("", "error: "),
    "exceptions": ("", "Exception"),
}
"""What a line of a service may repeat, behind how it begins."""


def patterns_for_lines() -> Iterator[str]:
    """Yield each built-in pattern that is searched in what services print."""
    for tool in build_table.TOOLS:
        yield from filter(None, asdict(tool).values())
    for saying in (*cause_table.STRONG, *cause_table.WEAK):
        yield from filter(None, (saying.pattern, saying.place))
    for module in (build_table, cause_table, causes, log_records, remedies, workers):
        for value in vars(module).values():
            texts = value if isinstance(value, tuple) else (value,)
            yield from (
                each for each in texts if isinstance(each, str) and "\\" in each and "\n\n" not in each
            )
    for each in (levels._STATED, levels._LETTER, records._ESCAPED, requests._FORMS):
        yield each.pattern
    yield from (SEQUENCES, COLOUR, LINK, links._URL.pattern, links._OF_PYTHON.pattern, links._NUMBERS.pattern)
    yield from (levels.PROBLEM.pattern, levels.HARMLESS.pattern, log_files.COLOURS.pattern)
    for expression in (printed._DATE_AND_TIME, printed._REDIS, printed._UNIX):
        yield expression.pattern.decode()


LINE_PATTERNS = [re.compile(each) for each in dict.fromkeys(patterns_for_lines())]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_pattern_for_lines_takes_long_for_a_hostile_line(name: str) -> None:
    begin, repeated = HOSTILE[name]
    text = begin + repeated * (LONG // len(repeated))

    for pattern in LINE_PATTERNS:
        pattern.search(text)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("repeated", ["celery ", "rq ", "/rq\n"])
def test_a_hostile_command_is_recognised_at_once(repeated: str) -> None:
    assert not is_job_worker(repeated * (LONG // len(repeated)))
    assert is_job_worker(repeated * (LONG // len(repeated)) + " worker")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("value", ["${" * LONG, "}" + "${" * LONG, "${:-" * LONG])
def test_a_hostile_value_is_written_at_once(value: str) -> None:
    assert value in render({"A": value})


@pytest.mark.timeout(120)
@pytest.mark.parametrize("value", ["${" * LONG + ":x}${a}", "${" * LONG + "a}"])
def test_a_hostile_value_that_would_be_replaced_is_refused_at_once(value: str) -> None:
    with pytest.raises(ConfigError, match=r"would replace \$\{a\} in it"):
        render({"A": value})


USERS = "the user's expression, which `system.matching` bounds"
LINES = "one of those that are pumped with hostile lines above"
EXEMPT = {
    ("devinit.cli.logs", "text"): USERS,
    ("devinit.dashboard.screens.log_screen", "text"): USERS,
    ("devinit.system.matching", "expression"): USERS,
    ("devinit.config.policies", "text"): "only compiled, to see whether it can be",
    ("devinit.kinds.docker.building", "expression"): "of a line with at most three wildcards, against paths",
    ("devinit.sources.commands.command", "FORM"): "fixed words of one server",
    (
        "devinit.sources.applications.data",
        "imported",
    ): "the name of one driver, at most nine spaces after a word",
    ("devinit.sources.fixed.containers", "here"): "an address of this machine with one port",
    ("devinit.sources.packages", "SCRIPT"): "a quoted name with at most 100 spaces behind it",
    (
        "devinit.exporters.kubernetes",
        """f"(?<![\\\\w.-])({'|'.join(odd)})(?=[:/]|$)\"""",
    ): "names of services as they stand, each once",
    (
        "devinit.kinds.programs",
        "each.banner + VERSION",
    ): "the fixed words with which a server prints its version",
    ("devinit.model.launcher", "pattern"): "one of those that are pumped with the words of a command above",
    ("devinit.supervisor.diagnosis.build_errors", "pattern"): LINES,
    ("devinit.supervisor.diagnosis.causes", "pattern"): LINES,
    ("devinit.supervisor.diagnosis.causes", "saying.pattern"): LINES,
    ("devinit.supervisor.diagnosis.causes", "p"): LINES,
    ("devinit.supervisor.diagnosis.log_records", "pattern"): LINES,
    ("devinit.supervisor.diagnosis.remedies", "words"): LINES,
    ("devinit.supervisor.files.patterns", "translate(part)"): "matched against one name of at most 255 bytes",
    (
        "devinit.kinds.postgres.extensions",
        "_PRISMA",
    ): "tries 2000 characters at most at each place; see above",
    ("devinit.masking.patterns", "URL"): "tries 2048 characters at most at each place",
    ("devinit.supervisor.logs.access_lines", "REQUESTS"): "tries 500 characters at most at each place",
    ("devinit.supervisor.diagnosis.build_errors", "found"): LINES,
    ("devinit.masking.programs", "BEFORE"): "options of one program, behind its name: fixed words",
    ("devinit.masking.values", "PAIR"): "tries 512 characters at most at each place",
    ("devinit.masking.values", "LOOSE"): "tries 256 characters at most at each place",
    ("devinit.ports.holder.managers", "_HOSTS"): "matched against the name of a cgroup, of at most 255 bytes",
    ("devinit.runtime.dotenv", "_INTERPOLATED"): "searched in texts that end with a brace alone; see above",
}
"""Patterns that are not pumped below, by module and name, each with the reason."""
MATCHED = {
    ("devinit.config.edit", "_HEADER"),
    ("devinit.config.edit", "stated"),
    ("devinit.kinds.postgres.extensions", "_COMMENT"),
    ("devinit.logs.levels", "_LETTER"),
    ("devinit.logs.records", "_PAIR"),
    ("devinit.model.saving", "_VERSION"),
    ("devinit.sources.commands.targets", "_TARGET"),
    ("devinit.toolchains.node.workspaces", "_ITEM"),
    ("devinit.sources.commands.splitting", "_ASSIGNMENT"),
    ("devinit.sources.addresses", "_HOST_NAME"),
    ("devinit.sources.compose.env_file", "_LINE"),
    ("devinit.sources.compose.environment", "_PRODUCTION"),
    ("devinit.sources.compose.native", "_ENTRYPOINT"),
    ("devinit.sources.compose.native", "_WAITS"),
    ("devinit.kinds.command", "_ASSIGNED"),
    ("devinit.toolchains.ranges.npm", "_HYPHEN"),
    ("devinit.toolchains.ranges.npm", "_COMPARATOR"),
    ("devinit.toolchains.ranges.python", "_CLAUSE"),
    ("devinit.toolchains.standing_in", "_SCRIPT"),
    ("devinit.toolchains.standing_in", "_RUN"),
    ("devinit.toolchains.there", "_IN_FOLDER"),
}
"""Compiled patterns that are matched at one place of a text alone."""
SHORT, LENGTH = 1_000, 4_000
"""Characters. More than a bounded repetition spans, so that only unbounded ones count."""
SHORT_SECONDS = 0.00009
"""What takes less for a short text takes less than LONGEST_SECONDS for a long one, also by the square."""
LONGEST_SECONDS = 0.0015
"""A pattern that takes the square of the length takes longer, on a fast machine, too: there it is 0.0025 s."""
LARGEST_RATIO = 10.0
"""A linear pattern takes 4 times as long for a text of 4 times the length, a quadratic one 16 times."""
MEASUREMENTS = 3
PATIENCE_SECONDS = 0.5
"""After which a match is ended."""
Patterns: TypeAlias = "dict[tuple[str, str], Found]"


@pytest.fixture(scope="module")
def found_patterns() -> Patterns:
    """Every pattern of the code; looked for when it is needed, not while tests are collected."""
    return {(found.module, found.written): found for found in patterns()}


@pytest.mark.timeout(600)
def test_no_pattern_of_the_code_takes_the_square_of_a_hostile_text(found_patterns: Patterns) -> None:
    slow = {
        place: text[:40]
        for place, found in found_patterns.items()
        if place not in EXEMPT and (text := slow_text(found)) is not None
    }

    assert slow == {}


def test_each_pattern_is_known_or_exempt(found_patterns: Patterns) -> None:
    unknown = {place for place, found in found_patterns.items() if found.pattern is None}

    assert unknown - EXEMPT.keys() == set()
    assert EXEMPT.keys() | MATCHED <= found_patterns.keys()


@pytest.mark.parametrize(
    "pattern",
    [
        r"\s+#.*",
        r"\s*(\d+)\s*([a-z]*)\s*x",
        r":[^\]]*\Z",
        r"(?s)(?:^|\s)rq\s(?:.*\s)?worker\b",
        r"\$\{[^}]*\}",
        r"(?:a+)+b",
        r"a*a*a*b",
    ],
)
def test_a_pattern_that_takes_the_square_is_found(pattern: str) -> None:
    assert slow_text(Found("", "", "search", re.compile(pattern))) is not None


def slow_text(found: Found) -> str | bytes | None:
    """Return a text that takes a pattern too long."""
    assert found.pattern is not None
    is_at_one_place = (found.module, found.written) in MATCHED or found.call == "match"
    matches = found.pattern.match if is_at_one_place else found.pattern.search
    if found.call == "fullmatch":
        matches = found.pattern.fullmatch
    short: str | bytes
    long: str | bytes
    for short, long in zip(
        hostile_texts(found.pattern, SHORT), hostile_texts(found.pattern, LENGTH), strict=True
    ):
        # A busy machine makes one measurement wrong, not all of them.
        if seconds_for(matches, short) >= SHORT_SECONDS and all(
            grows(matches, short, long) for _ in range(MEASUREMENTS)
        ):
            return long
    return None


def grows(matches: Callable[[Any], object], short: str | bytes, long: str | bytes) -> bool:
    """Return whether a long text takes much more time than its length explains, measured once."""
    seconds = seconds_for(matches, long)
    return seconds >= PATIENCE_SECONDS or seconds >= max(
        LONGEST_SECONDS, LARGEST_RATIO * seconds_for(matches, short)
    )


def seconds_for(matches: Callable[[Any], object], text: str | bytes) -> float:
    """Return how long a match computes; the patience, where it takes longer."""
    begun = time.thread_time()  # that of the process stands still between ticks while it has a timer
    try:
        with bounded("", PATIENCE_SECONDS):
            matches(text)
    except PatternTooSlow:
        return PATIENCE_SECONDS
    return time.thread_time() - begun
