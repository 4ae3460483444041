r"""Patterns for the output of build tools that go on after an error: a table for lookups by `build_errors`.

There is one entry per tool. The outputs that show them are in tests/supervisor/outputs/builds. Patterns are text:
`re` compiles them when the first log has grown, not while the supervisor boots.
"""

from __future__ import annotations

from msgspec import Struct

CLOCK = r"^(?:\[?\d{1,2}:\d\d:\d\d(?: [AP]M)?\]?(?: -)? )?"
"""The time that Vite and tsc print before a line."""


class Tool(Struct, frozen=True, kw_only=True):
    """The patterns of one tool, or of several with the same messages, for the result of a build."""

    error: str | None = None
    """A build failed. The group `said` is the message, or the message is below."""
    clean: str | None = None
    """A build succeeded: no error is left."""
    begins: str | None = None
    """A build begins: later lines are about the current files."""
    reloads: str | None = None
    """The program is restarted: an error of its last run is over, however this run ends."""
    ends: str | None = None
    """A build has ended. It succeeded if it had begun and no error was printed. The next error belongs to
    another build.
    """
    fails: str | None = None
    """A running build failed. Unless an error was printed, the lines since its beginning contain the reason."""
    raises: str | None = None
    """A traceback follows, whose end is the error: the program goes on without the module that it could not
    load.
    """
    compiles: str | None = None
    """A page is compiled because it was requested. A known error stays."""
    answers: str | None = None
    """A page was answered, with any status."""
    update: str | None = None
    """Files have changed: errors in those files are outdated, other errors are not."""


TOOLS = (
    # Vite, and the tools based on it: SvelteKit, Astro, Nuxt, Remix.
    Tool(
        error=CLOCK + r"\[vite\] (?:\(\w+\) )?(?:Pre-transform error|Internal server error|"
        r"Error when evaluating SSR module [^:]*|Build failed with \d+ errors?): ?(?P<said>.*)",
        update=CLOCK + r"\[vite\] (?:\(\w+\) )?(?:hmr update|hmr invalidate|page reload|program reload) ",
        clean=r"^\s*VITE v\S+\s+ready in |" + CLOCK + r"\[vite\] (?:\(\w+\) )?server restarted",
    ),
    # Vite's own configuration, and SvelteKit's. If it throws an error, Vite prints only the message.
    Tool(
        error=r"^failed to load config from |^error when starting dev server:$",
        begins=CLOCK + r"\[vite\] \S+ changed, restarting server|^svelte config changed, restarting vite",
        fails=CLOCK + r"\[vite\] server restart failed",
    ),
    # Next.js. A page that answers has been compiled.
    Tool(
        error=r"^\s*\u2a2f (?P<said>.+)",
        clean=r"^\s*\u2713 (?:Compiled|Ready)\b|^\s*(?:GET|HEAD|POST) \S+ [23]\d\d in ",
        compiles=r"^\s*\u25cb Compiling ",
        answers=r"^\s*[A-Z]+ \S+ \d{3} in ",
    ),
    # webpack-dev-server, create-react-app, Vue CLI, Angular
    Tool(
        error=r"^ERROR in (?P<said>.+)|^ERROR  Failed to compile|^Failed to compile\.$",
        clean=r"\bcompiled (?:successfully|with (?:\d+ )?warnings?)|^Compiled (?:successfully|with warnings)|"
        r"^Application bundle generation complete",
        begins=r"^Compiling\.\.\.$",
        ends=r"\bcompiled with \d+ errors?|^Application bundle generation failed",
    ),
    # TypeScript, Nest
    Tool(
        error=r"^(?P<said>\S+\.[cm]?tsx?(?::\d+:\d+ -|\(\d+,\d+\):) error TS\d+: .+)",
        clean=CLOCK + r"Found 0 errors",
        begins=CLOCK + r"(?:File change detected|Starting (?:incremental )?compilation)",
        ends=CLOCK + r"Found [1-9]\d* errors?\b",
    ),
    # esbuild, tsup
    Tool(
        error=r"^\s*(?:\u2718|X) \[ERROR\] (?P<said>.+)",
        begins=r"^\[watch\] build started|^CLI Change detected",
        ends=r"^\[watch\] build finished|\bBuild success\b",
    ),
    # uvicorn, Django, Flask under their reloaders: a traceback before the end of a build is its error. Flask goes
    # on without the application that it could not import.
    Tool(
        reloads=r"\bReloading\.\.\.$|\bchanged, reloading\.$|Detected change in .*, reloading$",
        clean=r"Application startup complete|^Starting development server at ",
        ends=r"^ \* Debugger is active!",
    ),
    # gunicorn --reload: after a syntax error, its worker goes on and answers 500.
    Tool(
        raises=r"^\[[^\]]+\] \[\d+\] \[ERROR\] .+ \(\S+, line \d+\)$",
        clean=r"^\[[^\]]+\] \[\d+\] \[INFO\] Booting worker with pid: \d+",
    ),
)  # fmt: skip

TROUBLE_WORDS = (
    "[vite]",
    "failed to load config",
    "error when starting",
    "config changed",
    "\u2a2f",
    "\u25cb Compiling",
    "ERROR in ",
    "ERROR  Failed",
    "Failed to compile",
    "Compiling...",
    "error TS",
    "ompilation",
    "[ERROR]",
    "build started",
    "hange detected",
    "eloading",
    "Detected change",
)
"""Each line about an error or the beginning of a build contains one of these words; most output has none."""
RELIEF_WORDS = (
    "VITE v",
    "\u2713",
    " in ",
    "ompiled with",
    "ompiled successfully",
    "bundle generation",
    "Found ",
    "build finished",
    "Build success",
    "Application startup",
    "development server",
    "Debugger is active",
    "Booting worker",
)
"""The same for the end of a build; checked only once there is a build or an error."""

CONFIGURATIONS = (
    r"^failed to load config from (?P<file>/.+)",
    r"^svelte config changed, .*\bchanged file: (?P<file>/.+)",
    CLOCK + r"\[vite\] (?P<file>\S+) changed, restarting server",
)
"""Lines that name the broken configuration file, for errors without any other place."""

PLACES = (
    r'^\s*File "(?P<file>[^"<]+)", line (?P<line>\d+)',
    # Vite, for an error without a place: `File: /shop/src/app.css?direct:undefined:NaN`.
    r"^\s*File: (?P<file>/\S.*?)(?:\?[^\s:]*)?(?::(?:(?P<line>\d+)|undefined|null):(?:\d+|undefined|null|NaN))?$",
    # Vite 5, for a module that it transforms before a browser requests it: only the message, or no line number.
    r"\[vite\] .*? error: (?P<file>/[^:]+\.\w+): (?:.* \((?P<line>\d+):\d+\)$)?",
    r"\[vite\] .*? error: Failed to resolve import \"[^\"]+\" from \"(?P<file>[^\"]+)\"",
    r"\[vite\] .*? error: Failed to load url .*? in (?P<file>/.+\.\w+)\. Does ",
    # The same for Vue: its position counts from the beginning of the script.
    r"^(?P<file>/[^:]+\.vue)$",
    r"\u2500\[ (?P<file>[^\]\u2500]+?):(?P<line>\d+):\d+ \]",
    # swc, where it does not print Unicode: Next.js 14.
    r"^\s*,-\[(?P<file>[^\[\]]+?):(?P<line>\d+):\d+\]",
    # Next.js 14, for an exception in a page.
    r"^\s*\u2a2f (?P<file>[^\s()]+\.\w+) \((?P<line>\d+):\d+\)",
    r"\bfile://(?P<file>/[^\s:?]+)(?:\?[\w=&]*)?:(?P<line>\d+):\d+\)?$",
    r"^ERROR in (?P<file>\S+\.\w+)(?: (?P<line>\d+):\d+)?",
    r"(?<![^\s():\"'])(?P<file>[^\s():\"']+\.[cm]?[jt]sx?)\((?P<line>\d+),\d+\)",
    r"(?<![\w:/.@-])(?P<file>(?:\.{0,2}/)?[\w@.+\[\]-][\w@./+\[\]()-]{0,500}\.[a-z]\w*):(?P<line>\d+)(?::\d+)?",
)
"""Notations of a place in the code, the most reliable first."""
SERVES_FILES = "[vite]"
"""Part of the error of a tool that serves each module under its path. Others serve only pages: Next.js compiles
the page of an error when a file is requested, which takes seconds.
"""
ANSWERS_FIRST = r"^\s*VITE v\S+\s+ready in "
"""The line of a tool that serves a page first, and then compiles its modules: slowly for the first time in a
process.
"""
SIGN_OF_SWC = r"^[x\u00d7] (?=[A-Z])"
"""The sign that swc prints before a message."""
MISSING = (
    r"""(?:Failed to resolve import|Can't resolve|no such file or directory, open) ["'](?P<file>[^"']+)["']"""
)
"""The messages about a missing file: the error ends when the file appears, and no other file changes."""
FOREIGN = r"node_modules|node:|^file:|site-packages|/lib/python\d|^<"
"""Places outside of the user's code."""
