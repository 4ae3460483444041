"""Patterns of the error messages of real programs: a table in which `causes` looks up lines.

One entry for each form of message, grouped by language. Real outputs with these messages are in
tests/supervisor/outputs. Patterns are text: `re` compiles them when the first program fails, not while the
supervisor boots (1 ms).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

SIGN = r"^\s*(?:[\u2a2f\u2718\u00d7] )?"
"""Symbols that Next.js, esbuild and others print before an error."""


class Take(StrEnum):
    """Which of several matching lines is the cause."""

    LAST = "last"
    """The last one: for a program that ended."""
    FIRST = "first"
    """The first one of the last build: for a compiler, which continues after an error."""


class Saying(Struct, frozen=True):
    """One form in which programs print the cause of a failure."""

    pattern: str
    """The group `said` holds the cause; without that group, the next line does."""
    take: Take = Take.LAST
    place: str | None = None
    """Pattern searched in the lines below; the group `at` holds the location in the code."""
    has_stack: bool = False
    """Whether it counts only above a stack trace of Node."""


def _first(pattern: str, place: str | None = None) -> Saying:
    return Saying(pattern, Take.FIRST, place)


STRONG: tuple[Saying, ...] = (
    # Last line of an exception in Python, Node, Java, Ruby, .NET. A bare "Error: " is left out of the cause.
    Saying(SIGN + r"(?:\[vite\] )?(?:\(\w+\) )?(?:Uncaught )?Error(?: \[\w+\])?: (?P<said>.+)"),
    # Node prints a caught error without its stack in brackets; its further properties follow in braces.
    Saying(r"^\[(?:Error(?: \[\w+\])?: |(?=\w{1,60}Error: ))(?P<said>.+?)(?:\](?: \{)?)?$"),
    Saying(
        SIGN + r'(?::\w{1,60})?(?:Exception in thread "[^"]*" |Unhandled exception\. )?(?:Uncaught )?'
        r"(?P<said>[\w.:$]*(?:Error|Exception)(?: \[\w+\])?: .+)"
    ),
    # The first exception of a group, in Python.
    _first(r"^\s+\| (?P<said>(?![\w.]{0,60}ExceptionGroup)[\w.]{1,60}(?:Error|Exception): .+)"),
    # `console.error("cannot start:", error)`, and an error in an object that is printed.
    Saying(r"^(?=\S)(?P<said>.*(?:Error|Exception)\b.*)", has_stack=True),
    Saying(r"^\s+(?:e|err|error|reason|exception): (?P<said>.*(?:Error|Exception)\b.*)", has_stack=True),
    Saying(r'^\[?UnhandledPromiseRejection: .*\bThe (?P<said>promise rejected with the reason ".*")'),
    Saying(r"^FATAL ERROR: (?P<said>.+)"),
    # Go. `go: downloading …` is progress. The compiler's lines begin with the place.
    Saying(r"^(?:panic|fatal error): (?P<said>.+)"),
    Saying(r"^go: (?P<said>(?!downloading|finding|extracting|added|upgraded|creating|found).+)"),
    _first(r"^(?:\./)?(?P<said>[\w./-]+\.go:\d+:\d+: .+)"),
    Saying(r'\blevel=(?:fatal|panic)\b.*\bmsg="(?P<said>(?:[^"\\]|\\.)+)"'),
    Saying(r'"level":"(?:fatal|panic)".*"(?:msg|message)":"(?P<said>(?:[^"\\]|\\.)+)"'),
    # Rust: the panic line, not the backtrace; then rustc and cargo, and others that say "error: "
    Saying(r"^thread '.*' (?:\(\d+\) )?panicked at (?P<at>\S+?):$"),
    Saying(r"^thread '[^']*' panicked at '(?P<said>.+)', (?P<at>\S+)$"),
    _first(
        r"^(?:psql: )?error(?:\[E\d+\])?: (?:Uncaught (?:\(in promise\) )?)?(?P<said>(?!could not compile|"
        r"compilation failed|"
        r"aborting due to|process didn't exit|script \"|Recipe |[Cc]ommand (?:'\[|.* (?:failed|exited))).+)",
        place=r"^\s+--> (?P<at>\S+)$",
    ),
    # Java, Kotlin, Maven, Gradle, Spring
    _first(
        r"^(?:\[ERROR\] )?(?::\w{1,60})?(?P<said>\S+\.(?:java|kt|scala|groovy):"
        r"(?:\[\d+,\d+\]|\d+: error:) .+)"
    ),
    _first(r"^e: (?P<said>\S+\.kts?:.+)"),
    Saying(r"^\[FATAL\] (?P<said>.+)"),
    Saying(r"^Description:$"),
    # Ruby, Bundler, Rails, Puma
    _first(r"^(?>\S.*?:\d+:in [`'][^']*': )(?P<said>.+ \([\w:]+\))$"),
    Saying(r"^(?P<said>(?:\S*/)?[\w.-]+(?:\.(?:rb|ru|rake)|Gemfile|Rakefile):\d+: (?!warning).+)"),
    Saying(r"^ruby: (?P<said>(?!warning).+)"),
    Saying(r"^(?P<said>Could not (?:find|locate) .+)"),
    Saying(r"^(?P<said>Your Ruby version is .+)"),
    Saying(r"^bundler: (?P<said>command not found: .+)"),
    Saying(r"^! Unable to load application: (?P<said>.+)"),
    Saying(r"^(?P<said>Migrations are pending\..*)"),
    Saying(r"^(?:rake|(?:bin/)?rails) aborted!$"),
    # PHP, Composer, Symfony's console (Laravel's, too)
    Saying(r"^(?:\[[^\]]{10,40}\] )?(?:PHP )?(?:Fatal|Parse) error:\s+(?:Uncaught )?(?P<said>.+)"),
    Saying(r"^(?P<said>Could not open input file: .+)"),
    Saying(r"^(?P<said>Directory .+ does not exist\.)$"),
    Saying(r"^\s*In \S+\.php line \d+:\s*$"),
    _first(r"^\s+- (?P<said>(?:Root composer\.json|[^\s/]+/\S.*?) requires .+)"),
    Saying(r"^(?P<said>Composer could not find .+)"),
    # Elixir: the innermost one is the cause; its compiler tells errors above its summary
    Saying(r"^\s*\*\* (?P<said>\((?!EXIT\b)[\w.]+\) (?!.*errors have been logged).+)"),
    _first(r"^\s+error: (?P<said>.+)", place=r"└─ (?P<at>\S+?:\d+)"),
    Saying(r"^\s*(?P<said>the dependency is not available, .+)"),
    # .NET
    _first(r"^.*?\berror (?P<said>(?:CS|MSB|NU|NETSDK|FS)\d+: .+?)(?: \[.+\])?$"),
    Saying(r"^(?P<said>Couldn't find a project to run\..*)"),
    # TypeScript, bundlers, Prisma
    _first(r"^(?P<said>\S+\.[cm]?tsx?(?::\d+:\d+ -|\(\d+,\d+\):) error TS\d+: .+)"),
    Saying(r"\bInternal server error: (?P<said>.+)"),
    Saying(SIGN + r"(?:\[ERROR\] )?(?P<said>(?:Module not found|Module parse failed|Could not resolve)\b.+)"),
    Saying(r"^(?P<said>Error code: P\d+|P\d{4}: .+)"),
    # uvicorn, alembic, PostgreSQL, Redis
    Saying(r"^ERROR:\s+(?P<said>Error loading ASGI app.+)"),
    Saying(r"^FAILED: (?P<said>.+)"),
    # "checkpoint request failed" is a consequence, told with a hint at the lines above it.
    Saying(r"\b(?:FATAL|PANIC):\s+(?P<said>(?!checkpoint request failed)\S.*)"),
    Saying(r"\bERROR:\s+(?P<said>could not (?:write|extend|fsync|flush) .+)"),
    Saying(r"^postgres: (?P<said>could not .+)"),
    Saying(r"# (?P<said>(?:Fatal error|Fatal:|Failed|Can't) .+)"),
    # Programs that abort: C++, Rust, assert and glibc
    Saying(r"^\s+what\(\):\s+(?P<said>.+)"),
    Saying(r"^(?P<said>thread '[^']*' (?:\(\d+\) )?has overflowed its stack)"),
    Saying(r"^\S+: (?P<said>\S+:\d+: (?:.+: )?Assertion [`'].+' failed\.)"),
    Saying(
        r"^(?:\*\*\* )?(?P<said>(?:free|malloc|realloc|munmap_chunk|malloc_consolidate)\(\): [a-z].+"
        r"|corrupted (?:size|double)\b.+|double free or corruption.*|stack smashing detected)"
    ),
    # Typer, in a box of rich
    Saying(r"^│ (?P<said>(?:Missing|Invalid|No such|Got) .*?\S)\s*│$"),
    # Shells, make and Python, about what is not there
    Saying(
        r"^(?:\S*/)?(?:(?:ba|da|z|k)?sh|[\w.-]+\.sh): (?:line )?\d+: (?P<said>.+: (?:(?:command )?not found"
        r"|unbound variable|parameter not set|parameter null or not set|No such file or directory"
        r"|Permission denied))$"
    ),
    # C compilers
    Saying(r"^(?P<said>[^\s:]+:\d+:\d+: fatal error: .+)"),
    Saying(r"^make(?:\[\d+\])?: \*\*\* (?P<said>No .+)"),
    Saying(r"^(?:\S*/)?python[\d.]*: (?P<said>(?:No module named|can't open file) .+)"),
    # pip (uvicorn aligns what follows "ERROR:", pip does not), older uv, npm, pnpm, yarn, Poetry
    Saying(r"^ERROR: (?P<said>[^\s].+)"),
    Saying(r"^\s*╰─▶ (?P<said>.+)"),
    Saying(r"^npm (?:error|ERR!) (?P<said>Missing script: .+)"),
    Saying(r"^npm (?:error|ERR!) (?:enoent )?(?P<said>Could not read package\.json.*)"),
    Saying(r"^npm (?:error|ERR!) (?P<said>Could not resolve dependency:)$"),
    Saying(r"^npm (?:error|ERR!) code (?!ELIFECYCLE|ENOENT)E\w+$"),
    Saying(r"^\s*ERR_PNPM_(?!RECURSIVE)\w+\s+(?P<said>.+)"),
    Saying(r"^error (?P<said>(?!Command failed|Found )[A-Z].+)"),
    Saying(r"^➤ YN00(?:01|28|35): [│└ ]*(?P<said>.+)"),
    Saying(r"^(?P<said>pyproject\.toml changed significantly since poetry\.lock .+)"),
)  # fmt: skip
"""Reliable forms. The last line of the output that matches one of them is the cause."""

WEAK: tuple[Saying, ...] = (
    _first(
        r"^\[ERROR\] (?:Failed to execute goal(?: \S+ \(\S+\))? on project \S+: )?"
        r"(?P<said>(?!COMPILATION ERROR|\[Help).+?)(?: -> \[Help \d+\])?$"
    ),
    Saying(r"^\* What went wrong:$"),
    # Node: below what it says itself of a fatal error, and alone where the program aborted.
    Saying(r"^\s*\d+: 0x[0-9a-f]+ (?P<said>node::Abort\(\))"),
    Saying(r"^bundler: (?P<said>failed to load command: .+)"),
    Saying(r"^error: (?P<said>could not compile .+)"),
    Saying(r"^(?P<said>The build failed\. .+)"),
    Saying(r"^(?P<said>Your requirements could not be resolved .+)"),
    Saying(r"^==? ?(?P<said>Compilation error in file \S+)"),
)
"""Messages of tools about a failure that another program has usually explained better."""

LAST_WORDS = (
    # Go's `log`: log.Fatal prints what every other message looks like, so it counts only at the very end.
    r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?:\S+\.go:\d+: )?(?!\[\w+\] )(?P<said>.+)",
)
"""Forms that count only in the last line of a program, when nothing else explains its end."""

WRAPPERS = (
    r"^exit status \d+$",
    r"^Process Exit with Code: \d+$",
    r"^make(?:\[\d+\])?: \*\*\* \[.+\] Error \d+$",
    r"^npm (?:error|ERR!) ",
)
"""Lines of the program that ran another one, about its end: the last line of the other one is above."""

BUILD_BEGINS = (
    r"^building\.\.\.$|^running\.\.\.$|^\s+Compiling |^Compiling \d+ file|File change detected|"
    r"Starting (?:incremental )?compilation|^\[Running |^--- devinit: "
)
"""Lines above this are about an earlier build."""
BUILD_FAILED = r"^failed to build, error: "
"""air runs the program even if its build failed: errors below this line are consequences of that."""
ROOT = r"^\s*(?:Caused by|cause|\[cause\]):(?! (?:undefined|null)$) ?(?P<said>.*?)(?: \{)?$"
"""The underlying cause of an error, as Java, cargo, anyhow, uv and Node print it."""
