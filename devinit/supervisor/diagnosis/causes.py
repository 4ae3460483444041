"""What the output of a program that failed says about the cause: pure, from lines to a few words.

The words are the program's own, found in a table of what real programs print (`cause_table`).
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
"""How much of a cause is left for what is behind it."""
LONGEST_LINE = 1000
"""What is read of a line: a page in one line is no message, and patterns take their time."""
NEAR = 6
"""How many lines below an error its place in the code is looked for."""
APART = 40
"""So many lines between two errors of a compiler, at most: it draws the code, and gives advice."""

IN_USE = (
    r"(?i)address already in use|EADDRINUSE|AddrInUse|\bport\b[^\n]{0,10} (is|was) (already )?in use"
    r"|is port \d+ in use|already running on port|only one usage of each"
)
"""What programs print when they could not bind: libc's words, Node's, Deno's, Django's and Spring's, Bun's,
create-react-app's, Windows'."""
# Behind a colon (":8080", "127.0.0.1:3000"), a comma ("('127.0.0.1', 8000)") or the word: a year is no port.
_PORT = r"(?i)(?::|, |\bport:? )(\d{4,5})\b"

SYNTAX = r"^(?:SyntaxError|IndentationError|TabError): "
PLACE = r'^\s*File "(?:.*/)?(?P<file>[^"/]+)", line (?P<line>\d+)'

PLACE_ABOVE = r"^\s*(?:\u2a2f )?\./(?P<at>\S+\.\w+(?::\d+:\d+)?)$"
"""Next.js names the file in the line above."""

PLACES_ABOVE = (
    r"^(?:file://)?(?:/\S*)?/(?P<file>[^/\s:?]+\.[cm]?[jt]sx?)(?:\?\S*)?:(?P<line>\d+)$",
    r"^failed to load config from (?:/.*)?/(?P<file>[^/]+)$",
)
"""Above an error stand, of Node, the place and its text; of Vite, the name of its configuration."""
ABOVE_LINES = 6

TRACEBACK_LINES = 8
"""Before the last line of a traceback stands a place in the code, its text, and what marks a part of that."""
PYTHON_EXCEPTION = r"^[\w.]*(?:Error|Exception|Configured|NotFound|Exit)(?::|$)"
"""ImproperlyConfigured is Django's; the rest ends as exceptions usually do."""
INVALID = r"\b\d+ validation errors? for \S+$"
INVALID_FIELD = r"^  (?P<said>\S.*?) \[type=\w+"
"""pydantic: a field's name, and what is wrong with it in the line below."""
TRACE_UNCAUGHT = r"^\(Use `node --trace-uncaught"
"""What Node prints below a value that was thrown and has no stack."""
NODE_CRASH = r"^Node\.js v\d"
PROGRAM_COMPLETED = r"^Completed running '|^Watcher Process finished\. Restarting on"
"""`node --watch` and `deno run --watch`, of a program that ended with code 0."""
NODEMON_ENDS = r"^\[nodemon\] process failed, unhandled exit code \(\d+\)"
"""Nodemon takes code 2 for a mistake in the command, and ends with 0 below an explanation and its own stack."""
PROGRAM_ENDED = (
    rf"(?i){PROGRAM_COMPLETED}|{NODEMON_ENDS}|"
    r"waiting for (?:file )?changes|^Failed running '|^Process Exit with Code: [1-9]"
    r"|^\[Finished running\. Exit status: [1-9]|^\[Command (?:exited with [1-9]|killed by |stopped by )"
    r"|^Watcher Process (?:failed|finished with exit code [1-9]\d*)\."
    r"|Waiting for a file to change before restarting"
)
"""What reloaders print when a program has ended; after a failed build the old one may still run."""
WAITS_FOR_A_CHANGE = (
    rf"{PROGRAM_ENDED}"
    r"|^(?:\[[\d:. APM]+\] |[\d:. APM]+ - )?Found [1-9]\d* errors?\. Watching for file changes\."
    r"|^failed to build, error: "
)
"""The words of nodemon, of `node --watch`, of tsc and `nest start --watch`, of air, cargo-watch and watchexec, of
`deno run --watch` and `dotnet watch`."""
NOTHING_TO_RUN = r"^running\.\.\.$|: not found$"
"""What air 1.61 says below a build that failed; then it waits without a word."""
WORKER_DIED = r"Child process \[\d+\] died|Worker \(pid:\d+\) (?:exited with code|was sent SIG)"
"""The words of uvicorn and gunicorn, which then start another worker."""
WORKER_BEGINS = r"\[INFO\] Booting worker with pid: (?P<pid>\d+)"
"""gunicorn, which says nothing once its worker has loaded the application."""
WORKER_UP = r"Application startup complete"
WORKER_CODE = r"Worker \(pid:\d+\) exited with code (?P<code>\d+)"
DYING = "its workers die again and again"
DEATHS = 3
"""So many workers that died in a row: the next one dies, too."""
RUN_BEGINS = (
    r"(?i)\breloading\b|\brestarting due to changes|^\[nodemon\] (?:re)?starting|^Restarting '|"
    r"File change detected|Application startup complete|^ \* Restarting with |"
    r"^\[[\d:]+\] \d+ changes? detected|\[tsx\] change in .+ (?:Rerunning|Restarting)\.\.\.$"
)
"""The words of reloaders that begin the program's next run: what stands above is about an earlier one."""
NO_LAST_WORDS = r"^INFO:\s|\[(?:INFO|ERROR|WARNING)\]|^--- devinit: "
"""Lines of a server about its workers, and our own: the worker's last words stand above."""


def cause_of(lines: Sequence[str], code: int | None = None) -> str | None:
    """Return what made a program fail, in its own words, as far as its last lines tell.

    A program that ended by a signal (a negative code) did not say its last words about that.
    """
    said = [harmless(line)[:LONGEST_LINE] for line in lines]
    taken = ports_in_use("\n".join(said))
    if taken is not None:
        return f"port {taken[0]} is in use" if len(taken) == 1 else "an address is in use"
    if built := inside_pip(said):
        return cause_of(built) or error_line(built)
    said = with_message_first(without_consequences(said))
    by_signal = code is not None and code < 0
    from devinit.supervisor.diagnosis.log_records import logged_failure  # only what fails pays for it

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
    """Return the ports that a service says are in use, as far as it names them; None when it says nothing."""
    found = re.search(IN_USE, output)
    if found is None:
        return None
    end = output.find("\n", found.end())
    line = output[output.rfind("\n", 0, found.start()) + 1 : end if end >= 0 else None]
    ports = dict.fromkeys(int(number) for number in re.findall(_PORT, line))
    return [port for port in ports if LOWEST_UNPRIVILEGED_PORT <= port <= HIGHEST_PORT]


def stuck_by(lines: Sequence[str]) -> str | None:
    """Return what a program crashed of, if its output ends with that: its reloader waits for a change.

    Only what is certain: the end of a traceback, Node's last words, or a reloader that says so. A message
    about an error may be followed by a good start.
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
    """Return the line of a program that sounds like an error, else what its reloader says of its end."""
    own = [line for line in of_last_run(said) if not re.search(WAITS_FOR_A_CHANGE, line)]
    return error_line(own) or with_last_line(said[-1].strip(), own)


def built_nothing(lines: list[str]) -> bool:
    """Whether the output ends with a build that failed, and a program that is not there for that reason."""
    below = lines[len(without_consequences(lines)) + 1 :]
    return bool(below) and all(re.search(NOTHING_TO_RUN, line) for line in below)


def ended_by(lines: Sequence[str]) -> str | None:
    """Return what a program ended of, if its reloader's last words say that it runs no more."""
    last = next((line for each in reversed(lines) if (line := harmless(each)).strip()), "")
    return stuck_by(lines) if re.search(PROGRAM_ENDED, last) else None


def of_last_run(lines: Sequence[str]) -> list[str]:
    """Return the lines of a program that its reloader has started last."""
    for number in range(len(lines) - 1, -1, -1):
        if re.search(RUN_BEGINS, lines[number]):
            return list(lines[number + 1 :])
    return list(lines)


def begins_again(lines: Sequence[str]) -> bool:
    """Whether a reloader says in these lines that it begins the program's next run."""
    return any(re.search(RUN_BEGINS, line) for line in lines)


def dying_by(lines: Sequence[str]) -> str | None:
    """Return what the workers of a server die of again and again, if its output shows that."""
    said = [harmless(line) for line in lines]
    died = [number for number, line in enumerate(said) if re.search(WORKER_DIED, line)]
    if len(died) < DEATHS or any(re.search(WORKER_UP, line) for line in said[died[-DEATHS] :]):
        return None
    words = worker_words(said)
    return f"{DYING}: {words}" if words else with_last_line(f"{DYING}{code_of_worker(said)}", own_lines(said))


def code_of_worker(said: Sequence[str]) -> str:
    """Return with which code the last worker ended, where its server says so."""
    found = (re.search(WORKER_CODE, line) for line in reversed(said))
    return next((f" (code {each['code']})" for each in found if each), "")


def last_worker(lines: Sequence[str]) -> int | None:
    """Return the pid of the worker that a server has begun last, where it says so before the code is loaded."""
    found = (re.search(WORKER_BEGINS, harmless(line)) for line in reversed(lines))
    return next((int(each["pid"]) for each in found if each), None)


def worker_words(lines: Sequence[str]) -> str | None:
    """Return what a worker whose server lives on died of: the cause, or a line of its own that sounds like one."""
    if cause := cause_of(lines):
        return cause
    found = error_line(own_lines(lines))
    return found[:LONGEST_CAUSE] if found else None


def explanation_of(lines: Sequence[str], code: int | None, crash: str | None = None) -> str | None:
    """Return why a program has ended, in its own words: a known cause, its `crash`, else its last error line."""
    return cause_of(lines, code) or crash or last_error_line(lines, code)


def last_error_line(lines: Sequence[str], code: int | None) -> str | None:
    """Return which of the last lines of a program that gave up (a code above 0) sounds like the reason, if any."""
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
    """Return the lines up to a build that failed, if the last build did."""
    for number in range(len(lines) - 1, -1, -1):
        if re.match(BUILD_FAILED, lines[number]):
            return lines[:number]
        if lines[number].startswith("building..."):
            break
    return lines


def find(lines: Sequence[str], sayings: Sequence[Saying]) -> str | None:
    """Return what the last line says that says it in one of these ways."""
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
    """Return the number of the first error of the build whose last error is in this line."""
    first = last
    for number in range(last - 1, -1, -1):
        if first - number > APART or re.search(BUILD_BEGINS, lines[number]):
            break
        if re.search(saying.pattern, lines[number]):
            first = number
    return first


def told_at(lines: Sequence[str], number: int, saying: Saying) -> str | None:
    """Return what a line and those below it say, with the place in the code and what is behind it."""
    found = re.search(saying.pattern, lines[number])
    if found is None:
        return None
    groups = found.groupdict()
    below = lines[number + 1 :]
    said = groups["said"].strip() if "said" in groups else said_below(below)
    if said.endswith(":"):
        said = f"{said} {said_below(below)}".rstrip()
    if not said or "Any { .. }" in said:
        # Rust: a thread that waited for the one that panicked.
        return None
    place = groups.get("at") or place_below(below, saying.place)
    said += f" ({place})" if place else place_of(lines[:number], said)
    if re.search(INVALID, said) and (fields := invalid_fields(below)):
        said += f": {fields}"
    root = root_of(below) or raised_from(lines[:number])
    # SQLAlchemy and others repeat in their message what they were raised from.
    if not root or (root.partition(": ")[2] or root) in said:
        return said
    behind = f"; cause: {root[:LONGEST_ROOT]}"
    return said[: LONGEST_CAUSE - len(behind)] + behind


def invalid_fields(below: Sequence[str]) -> str:
    """Return which fields pydantic refuses, and why, where the reasons are the same once."""
    reasons: dict[str, list[str]] = {}
    for field, reason in pairwise(below):
        found = re.match(INVALID_FIELD, reason)
        if found and re.match(r"\S", field):
            reasons.setdefault(found["said"], []).append(field.strip())
    return "; ".join(f"{', '.join(fields)}: {reason}" for reason, fields in reasons.items())


def said_below(lines: Sequence[str]) -> str:
    """Return the paragraph that begins below a heading, in one line; of Gradle, what its `>` says."""
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
    """Return the place in the code that a compiler names below its message."""
    if pattern is None:
        return None
    found = (re.search(pattern, line) for line in lines[:NEAR])
    return next((place["at"] for place in found if place), None)


def root_of(lines: Sequence[str]) -> str | None:
    """Return the innermost reason that is given below a failure; of cargo, the two innermost: one says where."""
    numbers = [number for number, line in enumerate(lines) if re.match(ROOT, line)]
    if not numbers:
        return None
    found = re.match(ROOT, lines[numbers[-1]])
    if found is not None and found["said"]:
        return found["said"].strip()
    return ": ".join(re.sub(r"^\d+: ", "", said_below(lines[number + 1 :])) for number in numbers[-2:])


def last_words(lines: Sequence[str]) -> str | None:
    """Return the last that a program said, if that is how programs take their leave."""
    own = (line for line in reversed(lines) if line.strip() and not any(re.match(p, line) for p in WRAPPERS))
    last = next(own, "")
    found = next((found for pattern in LAST_WORDS if (found := re.match(pattern, last))), None)
    # `log.Fatal` prints no level: what a server says while it works is no reason for its end.
    return found["said"].strip() if found and not is_ordinary(found["said"]) else None


def thrown(lines: Sequence[str]) -> str | None:
    """Return what a program of Node threw that is no error, with its place: `throw "no key"`."""
    numbers = [number for number, line in enumerate(lines) if re.match(TRACE_UNCAUGHT, line)]
    if not numbers:
        return None
    above = [line for line in lines[: numbers[-1]] if line.strip() and line.strip() != "Uncaught:"]
    if not above or re.fullmatch(r"\s*\^+\s*", above[-1]):
        return None
    begins = [number for number, line in enumerate(above) if line.startswith(("{", "["))]
    # An object of several lines ends with its brace alone.
    is_whole = above[-1].strip() not in ("}", "]") or not begins
    said = above[-1].strip() if is_whole else " ".join(line.strip() for line in above[begins[-1] :])
    return f"uncaught: {said}{place_of(above, above[-1])}"


def place_of(before: Sequence[str], said: str) -> str:
    """Return where a syntax error or a missing module is, which its own words do not tell."""
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
