"""Find the cause of a failure in the output of a program: from lines to a short message. Pure.

The message is the program's own, found by a table of what real programs print (`cause_table`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from devinit.model.port import HIGHEST_PORT, LOWEST_UNPRIVILEGED_PORT
from devinit.supervisor.diagnosis.cause_table import (
    BUILD_BEGINS,
    BUILD_FAILED,
    LAST_WORDS,
    ROOT,
    STRONG,
    WEAK,
    WRAPPERS,
    Saying,
    Take,
)
from devinit.supervisor.diagnosis.chains import inside_pip, is_above_stack, raised_from, with_message_first
from devinit.supervisor.diagnosis.own_words import error_line, is_ordinary, with_last_line
from devinit.text import harmless

LONGEST_CAUSE = 200
LONGEST_ROOT = 120
"""Characters of a cause that its underlying cause may take."""
LONGEST_LINE = 1000
"""Characters of a line that are read: a longer line is no message, and would make the patterns slow."""
NEAR = 6
"""Number of lines below an error that are searched for its location in the code."""
APART = 40
"""Largest distance in lines between two errors of a compiler, which prints code and advice between them."""

IN_USE = (
    r"(?i)address already in use|EADDRINUSE|AddrInUse|\bport\b[^\n]{0,10} (is|was) (already )?in use"
    r"|is port \d+ in use|already running on port|only one usage of each"
)
"""Messages of programs that could not bind a port: of libc, Node, Deno, Django and Spring, Bun, create-react-app
and Windows."""
# After a colon (":8080", "127.0.0.1:3000"), a comma ("('127.0.0.1', 8000)") or the word: a year is no port.
_PORT = r"(?i)(?::|, |\bport:? )(\d{4,5})\b"

SYNTAX = r"^(?:SyntaxError|IndentationError|TabError): "
PLACE = r'^\s*File "(?:.*/)?(?P<file>[^"/]+)", line (?P<line>\d+)'

PLACE_ABOVE = r"^\s*(?:\u2a2f )?\./(?P<at>\S+\.\w+(?::\d+:\d+)?)$"
"""Next.js names the file in the line above."""

PLACES_ABOVE = (
    r"^(?:file://)?(?:/\S*)?/(?P<file>[^/\s:?]+\.[cm]?[jt]sx?)(?:\?\S*)?:(?P<line>\d+)$",
    r"^failed to load config from (?:/.*)?/(?P<file>[^/]+)$",
)
"""Lines above an error: in Node, the location and its source line; in Vite, the name of its configuration."""
ABOVE_LINES = 6

TRACEBACK_LINES = 8
"""The lines before the last one of a traceback: a location, its source line, and the markers below that."""
PYTHON_EXCEPTION = r"^[\w.]*(?:Error|Exception|Configured|NotFound|Exit)(?::|$)"
"""Usual endings of exception names, and Django's ImproperlyConfigured."""
INVALID = r"\b\d+ validation errors? for \S+$"
INVALID_FIELD = r"^  (?P<said>\S.*?) \[type=\w+"
"""pydantic prints the name of a field, and its error in the line below."""
TRACE_UNCAUGHT = r"^\(Use `node --trace-uncaught"
"""Printed by Node below a thrown value without a stack trace."""
NODE_CRASH = r"^Node\.js v\d"
PROGRAM_COMPLETED = r"^Completed running '|^Watcher Process finished\. Restarting on"
"""Printed by `node --watch` and `deno run --watch` for a program that ended with code 0."""
NODEMON_ENDS = r"^\[nodemon\] process failed, unhandled exit code \(\d+\)"
"""Nodemon takes exit code 2 for a wrong command, prints an explanation and its stack, and exits with 0."""
PROGRAM_ENDED = (
    rf"(?i){PROGRAM_COMPLETED}|{NODEMON_ENDS}|"
    r"waiting for (?:file )?changes|^Failed running '|^Process Exit with Code: [1-9]"
    r"|^\[Finished running\. Exit status: [1-9]|^\[Command (?:exited with [1-9]|killed by |stopped by )"
    r"|^Watcher Process (?:failed|finished with exit code [1-9]\d*)\."
    r"|Waiting for a file to change before restarting"
)
"""Printed by reloaders when their program has ended. After a failed build, the old program may still run."""
WAITS_FOR_A_CHANGE = (
    rf"{PROGRAM_ENDED}"
    r"|^(?:\[[\d:. APM]+\] |[\d:. APM]+ - )?Found [1-9]\d* errors?\. Watching for file changes\."
    r"|^failed to build, error: "
)
"""Printed by reloaders that wait for a change: nodemon, `node --watch`, tsc, `nest start --watch`, air,
cargo-watch, watchexec, `deno run --watch` and `dotnet watch`."""
NOTHING_TO_RUN = r"^running\.\.\.$|: not found$"
"""Printed by air 1.61 below a failed build; then it waits silently."""
WORKER_DIED = r"Child process \[\d+\] died|Worker \(pid:\d+\) (?:exited with code|was sent SIG)"
"""Printed by uvicorn and gunicorn, which then start another worker."""
WORKER_BEGINS = r"\[INFO\] Booting worker with pid: (?P<pid>\d+)"
"""Printed by gunicorn, which prints nothing once its worker has loaded the application."""
WORKER_UP = r"Application startup complete"
WORKER_CODE = r"Worker \(pid:\d+\) exited with code (?P<code>\d+)"
DYING = "its workers die again and again"
DEATHS = 3
"""After this many consecutive dead workers, the next one is expected to die, too."""
RUN_BEGINS = (
    r"(?i)\breloading\b|\brestarting due to changes|^\[nodemon\] (?:re)?starting|^Restarting '|"
    r"File change detected|Application startup complete|^ \* Restarting with |"
    r"^\[[\d:]+\] \d+ changes? detected|\[tsx\] change in .+ (?:Rerunning|Restarting)\.\.\.$"
)
"""Printed by reloaders at the beginning of a run: lines above are about an earlier run."""
NO_LAST_WORDS = r"^INFO:\s|\[(?:INFO|ERROR|WARNING)\]|^--- devinit: "
"""Lines of a server about its workers, and lines of devinit: the worker's own last lines are above."""


def cause_of(lines: Sequence[str], code: int | None = None) -> str | None:
    """Return the cause of a program's failure in its own words, if its last lines contain one.

    The last line of a program that a signal ended (a negative code) is not taken as the cause.
    """
    said = [harmless(line)[:LONGEST_LINE] for line in lines]
    taken = ports_in_use("\n".join(said))
    if taken is not None:
        return f"port {taken[0]} is in use" if len(taken) == 1 else "an address is in use"
    if built := inside_pip(said):
        return cause_of(built) or error_line(built)
    said = with_message_first(without_consequences(said))
    by_signal = code is not None and code < 0
    from devinit.supervisor.diagnosis.log_records import logged_failure  # needed only for failures

    logged = None if by_signal else logged_failure(lines)
    found = (
        (harmless(logged).strip() if logged else None)
        or find(said, STRONG)
        or thrown(said)
        or (None if by_signal else last_words(said))
        or find(said, WEAK)
    )
    return found[:LONGEST_CAUSE] if found else None


def ports_in_use(output: str) -> list[int] | None:
    """Return the ports that a service reports as in use, possibly none by number; None without such a report."""
    found = re.search(IN_USE, output)
    if found is None:
        return None
    end = output.find("\n", found.end())
    line = output[output.rfind("\n", 0, found.start()) + 1 : end if end >= 0 else None]
    ports = dict.fromkeys(int(number) for number in re.findall(_PORT, line))
    return [port for port in ports if LOWEST_UNPRIVILEGED_PORT <= port <= HIGHEST_PORT]


def stuck_by(lines: Sequence[str]) -> str | None:
    """Return the cause of a crash at the end of the output, after which a reloader waits for a change.

    Only certain signs count: the end of a traceback, Node's last line, or the message of a reloader. Another error
    message may be followed by a successful start.
    """
    said = [line for each in lines if (line := harmless(each)).strip()]
    if not said:
        return None
    ends = [number for number, line in enumerate(said) if re.match(NODEMON_ENDS, line)]
    said = said[: ends[-1] + 1] if ends else said
    last = said[-1]
    traceback = re.match(PYTHON_EXCEPTION, last) and any(
        re.match(PLACE, line) for line in said[-TRACEBACK_LINES:]
    )
    waits = re.search(WAITS_FOR_A_CHANGE, last) or built_nothing(said)
    if re.match(PROGRAM_COMPLETED, last):
        return last.strip()[:LONGEST_CAUSE]
    if traceback or re.match(NODE_CRASH, last) or waits:
        return cause_of(said) or end_of_program(said)[:LONGEST_CAUSE]
    return None


def end_of_program(said: Sequence[str]) -> str:
    """Return the program's line that looks like an error, otherwise its reloader's message about its end."""
    own = [line for line in of_last_run(said) if not re.search(WAITS_FOR_A_CHANGE, line)]
    return error_line(own) or with_last_line(said[-1].strip(), own)


def built_nothing(lines: list[str]) -> bool:
    """Whether the output ends with a failed build, and a program that is missing for that reason."""
    below = lines[len(without_consequences(lines)) + 1 :]
    return bool(below) and all(re.search(NOTHING_TO_RUN, line) for line in below)


def ended_by(lines: Sequence[str]) -> str | None:
    """Return the cause of a program's end, if the last line of its reloader says that it has ended."""
    last = next((line for each in reversed(lines) if (line := harmless(each)).strip()), "")
    return stuck_by(lines) if re.search(PROGRAM_ENDED, last) else None


def of_last_run(lines: Sequence[str]) -> list[str]:
    """Return the lines of the last run that a reloader has started."""
    for number in range(len(lines) - 1, -1, -1):
        if re.search(RUN_BEGINS, lines[number]):
            return list(lines[number + 1 :])
    return list(lines)


def begins_again(lines: Sequence[str]) -> bool:
    """Whether a reloader announces the program's next run in these lines."""
    return any(re.search(RUN_BEGINS, line) for line in lines)


def dying_by(lines: Sequence[str]) -> str | None:
    """Return why the workers of a server die again and again, if its output shows that they do."""
    said = [harmless(line) for line in lines]
    died = [number for number, line in enumerate(said) if re.search(WORKER_DIED, line)]
    if len(died) < DEATHS or any(re.search(WORKER_UP, line) for line in said[died[-DEATHS] :]):
        return None
    words = worker_words(said)
    return f"{DYING}: {words}" if words else with_last_line(f"{DYING}{code_of_worker(said)}", own_lines(said))


def code_of_worker(said: Sequence[str]) -> str:
    """Return the exit code of the last worker as text, if its server prints it; otherwise an empty text."""
    found = (re.search(WORKER_CODE, line) for line in reversed(said))
    return next((f" (code {each['code']})" for each in found if each), "")


def last_worker(lines: Sequence[str]) -> int | None:
    """Return the pid of the last worker that a server announced before it loaded the code; None without one."""
    found = (re.search(WORKER_BEGINS, harmless(line)) for line in reversed(lines))
    return next((int(each["pid"]) for each in found if each), None)


def worker_words(lines: Sequence[str]) -> str | None:
    """Return why a worker died whose server lives on: a known cause, or its line that looks like an error."""
    if cause := cause_of(lines):
        return cause
    found = error_line(own_lines(lines))
    return found[:LONGEST_CAUSE] if found else None


def explanation_of(lines: Sequence[str], code: int | None, crash: str | None = None) -> str | None:
    """Return why a program has ended, in its own words: a known cause, its `crash`, else its last error line."""
    return cause_of(lines, code) or crash or last_error_line(lines, code)


def last_error_line(lines: Sequence[str], code: int | None) -> str | None:
    """Return the last line that looks like the reason why a program gave up (a code above 0), if any."""
    if not code or code < 0:
        return None
    own = [line for line in own_lines(lines) if not any(re.match(pattern, line) for pattern in WRAPPERS)]
    found = error_line(own)
    return found[:LONGEST_CAUSE] if found else None


def own_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines of a worker, without those of its server and of devinit."""
    said = (harmless(line) for line in lines)
    return [line for line in said if line.strip() and not re.search(NO_LAST_WORDS, line)]


def without_consequences(lines: list[str]) -> list[str]:
    """Return the lines before the failure of the last build; all lines if that did not fail."""
    for number in range(len(lines) - 1, -1, -1):
        if re.match(BUILD_FAILED, lines[number]):
            return lines[:number]
        if lines[number].startswith("building..."):
            break
    return lines


def find(lines: Sequence[str], sayings: Sequence[Saying]) -> str | None:
    """Return the cause in the last line that has one of these forms."""
    for number in range(len(lines) - 1, -1, -1):
        for saying in sayings:
            if re.search(saying.pattern, lines[number]) and (
                not saying.has_stack or is_above_stack(lines[number + 1 : number + 1 + NEAR])
            ):
                at = number if saying.take is Take.LAST else first_of_build(lines, number, saying)
                if cause := told_at(lines, at, saying):
                    return cause
    return None


def first_of_build(lines: Sequence[str], last: int, saying: Saying) -> int:
    """Return the line number of the first error of a build, given that of its last error."""
    first = last
    for number in range(last - 1, -1, -1):
        if first - number > APART or re.search(BUILD_BEGINS, lines[number]):
            break
        if re.search(saying.pattern, lines[number]):
            first = number
    return first


def told_at(lines: Sequence[str], number: int, saying: Saying) -> str | None:
    """Return the cause in a line and those below it, with its location in the code and its underlying cause."""
    found = re.search(saying.pattern, lines[number])
    if found is None:
        return None
    groups = found.groupdict()
    below = lines[number + 1 :]
    said = groups["said"].strip() if "said" in groups else said_below(below)
    if said.endswith(":"):
        said = f"{said} {said_below(below)}".rstrip()
    if not said or "Any { .. }" in said:
        # Rust: a thread that joined the one that panicked.
        return None
    place = groups.get("at") or place_below(below, saying.place)
    said += f" ({place})" if place else place_of(lines[:number], said)
    if re.search(INVALID, said) and (fields := invalid_fields(below)):
        said += f": {fields}"
    root = root_of(below) or raised_from(lines[:number])
    # The messages of SQLAlchemy and others repeat their underlying cause.
    if not root or (root.partition(": ")[2] or root) in said:
        return said
    behind = f"; cause: {root[:LONGEST_ROOT]}"
    return said[: LONGEST_CAUSE - len(behind)] + behind


def invalid_fields(below: Sequence[str]) -> str:
    """Return the fields that pydantic rejects, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for field, reason in pairwise(below):
        found = re.match(INVALID_FIELD, reason)
        if found and re.match(r"\S", field):
            reasons.setdefault(found["said"], []).append(field.strip())
    return "; ".join(f"{', '.join(fields)}: {reason}" for reason, fields in reasons.items())


def said_below(lines: Sequence[str]) -> str:
    """Return the paragraph below a heading in one line; for Gradle, the text after `>`."""
    words: list[str] = []
    for line in lines:
        text = re.sub(r"^npm (?:error|ERR!)(?: (?:notarget|JSON\.parse|ERESOLVE))?", "", line).strip()
        if not text and not words:
            continue
        if (
            not text
            or len(" ".join(words)) > LONGEST_CAUSE
            or re.match(r"at \S+|from \S+:\d+|stack backtrace", text)
        ):
            break
        if text.startswith("> "):
            return text[2:]
        if words and words[-1].endswith("."):
            break
        words.append(text)
    return " ".join(words)


def place_below(lines: Sequence[str], pattern: str | None) -> str | None:
    """Return the location in the code that a compiler prints below its message."""
    if pattern is None:
        return None
    found = (re.search(pattern, line) for line in lines[:NEAR])
    return next((place["at"] for place in found if place), None)


def root_of(lines: Sequence[str]) -> str | None:
    """Return the innermost cause below a failure; for cargo the two innermost: one names the location."""
    numbers = [number for number, line in enumerate(lines) if re.match(ROOT, line)]
    if not numbers:
        return None
    found = re.match(ROOT, lines[numbers[-1]])
    if found is not None and found["said"]:
        return found["said"].strip()
    return ": ".join(re.sub(r"^\d+: ", "", said_below(lines[number + 1 :])) for number in numbers[-2:])


def last_words(lines: Sequence[str]) -> str | None:
    """Return the last line of a program, if it has one of the forms in LAST_WORDS."""
    own = (line for line in reversed(lines) if line.strip() and not any(re.match(p, line) for p in WRAPPERS))
    last = next(own, "")
    found = next((found for pattern in LAST_WORDS if (found := re.match(pattern, last))), None)
    # `log.Fatal` prints no level, so its lines look like those that a server prints while it works.
    return found["said"].strip() if found and not is_ordinary(found["said"]) else None


def thrown(lines: Sequence[str]) -> str | None:
    """Return a value that a Node program threw and that is no Error, with its location: `throw "no key"`."""
    numbers = [number for number, line in enumerate(lines) if re.match(TRACE_UNCAUGHT, line)]
    if not numbers:
        return None
    above = [line for line in lines[: numbers[-1]] if line.strip() and line.strip() != "Uncaught:"]
    if not above or re.fullmatch(r"\s*\^+\s*", above[-1]):
        return None
    begins = [number for number, line in enumerate(above) if line.startswith(("{", "["))]
    # The last line of a multi-line object is its closing brace alone.
    is_whole = above[-1].strip() not in ("}", "]") or not begins
    said = above[-1].strip() if is_whole else " ".join(line.strip() for line in above[begins[-1] :])
    return f"uncaught: {said}{place_of(above, above[-1])}"


def place_of(before: Sequence[str], said: str) -> str:
    """Return the location of a syntax error or a missing module, which its message does not contain."""
    if said.startswith("Module ") and before and (above := re.match(PLACE_ABOVE, before[-1])):
        return f" ({above['at']})"
    for line in reversed(before[-ABOVE_LINES:]):
        above = next((found for pattern in PLACES_ABOVE if (found := re.match(pattern, line))), None)
        if above and above["file"] not in said:
            number = above.groupdict().get("line")
            return f" ({above['file']}, line {number})" if number else f" ({above['file']})"
    if not re.match(SYNTAX, said):
        return ""
    places = (re.match(PLACE, line) for line in reversed(before))
    found = next((place for place in places if place), None)
    return f" ({found['file']}, line {found['line']})" if found else ""
