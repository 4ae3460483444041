"""What real programs print when they fail, as patterns: a table for `causes` to look lines up in.

One entry for each way of saying it, grouped by language. The outputs that show it are in
tests/supervisor/outputs. Patterns are text: `re` compiles them when the first program fails, not while the
supervisor boots (1 ms).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

SIGN = r"^\s*(?:[\u2a2f\u2718\u00d7] )?"
"""What Next.js, esbuild and others put before an error."""


class Take(StrEnum):
    """Which of several lines that match says most."""

    LAST = "last"
    """A program that ended: the last one."""
    FIRST = "first"
    """A compiler, which goes on after an error: the first one of the last build."""


class Saying(Struct, frozen=True):
    """One way in which programs name the cause of a failure."""

    pattern: str
    """The group `said` has the cause; without one, the next line has it."""
    take: Take = Take.LAST
    place: str | None = None
    """Searched in the lines below: the group `at` says where in the code it is."""
    has_stack: bool = False
    """Whether it counts only above a stack of Node's."""


def _first(pattern: str, place: str | None = None) -> Saying:
    return Saying(pattern, Take.FIRST, place)


STRONG: tuple[Saying, ...] = (
    # An exception's last line, of Python, Node, Java, Ruby, .NET. "Error: " alone says nothing and is left out.
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
"""The last line of the output that matches one of them is taken."""

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
"""What tools say about a failure that another program has explained better, most often."""

LAST_WORDS = (
    # Go's `log`: log.Fatal prints what every other message looks like, so it counts only at the very end.
    r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?:\S+\.go:\d+: )?(?!\[\w+\] )(?P<said>.+)",
)
"""Taken when it is the last that a program said, and nothing else explains its end."""

WRAPPERS = (
    r"^exit status \d+$",
    r"^Process Exit with Code: \d+$",
    r"^make(?:\[\d+\])?: \*\*\* \[.+\] Error \d+$",
    r"^npm (?:error|ERR!) ",
)
"""Lines about the end of a program, printed by the program that ran it: its own last words stand above."""

BUILD_BEGINS = (
    r"^building\.\.\.$|^running\.\.\.$|^\s+Compiling |^Compiling \d+ file|File change detected|"
    r"Starting (?:incremental )?compilation|^\[Running |^--- devinit: "
)
"""Lines above this are about an earlier build."""
BUILD_FAILED = r"^failed to build, error: "
"""air runs the program even if it was not built: the errors below this line follow from that."""
ROOT = r"^\s*(?:Caused by|cause|\[cause\]):(?! (?:undefined|null)$) ?(?P<said>.*?)(?: \{)?$"
"""The reason behind a reason: of Java, cargo, anyhow, uv, Node."""
