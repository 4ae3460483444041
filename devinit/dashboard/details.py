"""Content of the details, environment and ports pages: answers of the supervisor → lines of pieces. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devinit.dashboard.presentation import MARKS, Piece
from devinit.masking import masked_value
from devinit.model.build_words import in_words
from devinit.model.port_words import (
    VERDICTS,
    holder_rows,
    is_marked,
    parents_first,
    port_rows,
    sentence,
    suggestion,
    who_has,
)
from devinit.model.status import CONDITION_WORDS
from devinit.text import counted, cut, duration, harmless, one_line, pad, plain, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    # Answers arrive as JSON; model.status and model.port define their contents.
    Json = Mapping[str, Any]

Line = list[Piece]
LABEL = 16
LONGEST_SUMMARY = 90
LONGEST_FACT = 120
STATES = {"running": "good", "stopped": "dim", "orphaned": "attention", "unreachable": "bad", "gone": "bad"}


def explanation(why: Json, inspection: Json | None, changed: str = "", *, revealed: bool) -> Iterator[Line]:
    """Yield everything that explains a service: why it is in its state, and its environment."""
    mark, style = MARKS.get(why["phase"], ("?", "attention"))
    since = f" for {duration(why['since_seconds'])}" if why["since_seconds"] is not None else ""
    yield [(f"{mark} {why['name']} ", "title"), (f"{why['phase']}{since}", style)]
    for wrong in why.get("wrong_servers", []):
        yield from rows([("connected", wrong["text"].removeprefix("connected "))], "bad")
        yield from rows(("", line) for line in wrong["advice"])
    yield from rows(reasons(why), style if why["phase"] == "failed" else "")
    if changed:
        yield from rows([("newer than it", f"{changed}; a restart applies it")], "attention")
    yield from section("Readiness", readiness(why))
    yield from dependencies(why)
    if inspection is not None:
        yield from section("Files", inspection["files"].items())
        yield from changes(inspection["changed"], revealed=revealed)
        yield from environment(inspection["environment"], revealed=revealed, title="What it is given")
    if why["log_tail"]:
        yield []
        yield [("Last lines", "strong")]
        yield from ([("  " + plain(line), "")] for line in why["log_tail"])


def reasons(why: Json) -> Iterator[tuple[str, str]]:
    """Yield the facts about its state, in the order in which a reader would ask for them."""
    yield "because", why["reason"] or ""
    wait = why.get("waits_for_input")
    yield (
        "waits for",
        f"input at {wait['prompt']}: `devinit attach {why['name']}`" if wait is not None else "",
    )
    yield "talks to", ", ".join(why.get("talks_to", []))
    error = why.get("last_error")
    yield "last build", f"failed: {in_words(error)}" if error is not None else ""
    yield "last exit", "" if why["last_exit"] is None else exit_text(why["last_exit"])
    times = why["restarts"]
    yield "restarts", "" if not times else f"{times}, {counted(why['failures'], 'failure')} lately"
    yield "port", port_text(why)
    yield "other ports", "\n".join(map(extra_port_text, why.get("extra_ports", [])))
    yield "command", why["command"] or ""


def exit_text(code: int) -> str:
    """Return the exit code or the signal of a process in words."""
    return f"signal {-code}" if code < 0 else f"code {code}"


def port_text(why: Json) -> str:
    """Return the port, and why it is not the preferred one."""
    if why["port"] is None:
        return ""
    if why["port"] == why["preferred_port"]:
        return str(why["port"])
    reason = f": {why['port_reason']}" if why["port_reason"] else ""
    return f"{why['port']}, preferred {why['preferred_port']}{reason}"


def extra_port_text(extra: Json) -> str:
    """Return the line for a further port."""
    moved = f", preferred {extra['preferred_port']}" if extra["port"] != extra["preferred_port"] else ""
    return f"{extra['name']} {extra['port']}{moved}  {extra['url'] or ''}".rstrip()


def readiness(why: Json) -> Iterator[tuple[str, str]]:
    """Yield the readiness probe of a service, and its last result."""
    yield "ready when", why["probe"]
    yield "last seen", why["last_probe"] or ""


def dependencies(why: Json) -> Iterator[Line]:
    """Yield the dependencies of a service, and its dependants."""
    if not why["depends_on"] and not why["needed_by"]:
        return
    yield []
    yield [("Dependencies", "strong")]
    for label, services in (("needs", why["depends_on"]), ("needed by", why["needed_by"])):
        line: Line = [(pad("  " + label, LABEL + 2), "dim")]
        for each in services:
            mark, style = MARKS.get(each["phase"], ("?", "attention"))
            words = CONDITION_WORDS.get(each.get("condition", ""), "")
            line += [(mark, style), (f" {each['name']}{f' ({words})' if words else ''}   ", "")]
        if services:
            yield line


def changes(changed: Sequence[Json], *, revealed: bool) -> Iterator[Line]:
    """Yield the variables whose values would differ if the service were started now."""
    if not changed:
        return
    yield []
    yield [("Changed since it was started", "attention"), ("  a restart applies it", "dim")]
    for each in changed:
        name = each["name"]
        then = value_of(name, each["then"], revealed=revealed) if each["then"] is not None else "not set"
        yield [
            (f"  {name}  ", ""),
            (then, "dim"),
            (" → ", "dim"),
            (value_of(name, each["now"], revealed=revealed), "attention"),
        ]


def environment(values: Mapping[str, str], *, revealed: bool, title: str = "") -> Iterator[Line]:
    """Yield variables, with passwords hidden unless revealed."""
    if not values:
        return
    if title:
        yield []
        yield [(title, "strong"), ("" if revealed else "  passwords hidden, m shows them", "dim")]
    wide = min(max(map(width, values)), 32)
    for name, value in values.items():
        shown = " ".join(value_of(name, value, revealed=revealed).split())
        yield [(f"  {pad(harmless(name), wide)}  ", "busy"), (shown, "")]


def value_of(name: str, value: str, *, revealed: bool) -> str:
    """Return a value masked unless revealed, and always without terminal control sequences."""
    return harmless(value if revealed else masked_value(name, value))


def section(title: str, pairs: Iterable[tuple[str, str]]) -> Iterator[Line]:
    """Yield facts under a heading; nothing if there are none."""
    lines = list(rows(pairs))
    if lines:
        yield []
        yield [(title, "strong")]
        yield from lines


def rows(pairs: Iterable[tuple[str, str]], style: str = "") -> Iterator[Line]:
    """Yield facts with their labels before them."""
    for label, text in pairs:
        first, *more = plain(text).splitlines() or [""]
        if first:
            yield [(pad("  " + label, LABEL + 2), "dim"), (first, style)]
            yield from ([(" " * (LABEL + 2) + line, style)] for line in more)


def port_facts(report: Json) -> Iterator[Line]:
    """Yield the facts about a taken port, the same as in a question on the shell."""
    if problem := sentence(report.get("problem", "")):
        yield [(problem, "attention")]
        yield []
    holders = parents_first(list(report["holders"]))
    for holder in holders[:1]:
        yield from rows((name, cut(fact, LONGEST_FACT)) for name, fact in holder_rows(holder, in_full=False))
    yield from rows(port_rows(dict(report), holders[1:]))
    yield []
    yield [(VERDICTS.get(report["kind"], ""), "strong")]
    if report["advice"]:
        yield [(sentence(report["advice"]), "attention")]
    if report.get("move_to") is not None and report["changes"]:
        yield [
            (f"Moving to {report['move_to']} changes {'; '.join(map(one_line, report['changes']))}.", "dim")
        ]


def port_overview(conflicts: Sequence[dict[str, Any]], room: int) -> Iterator[Line]:
    """Yield an overview of several taken ports: the holder of each, and the suggested answer."""
    services = max(width(each["service"]) for each in conflicts)
    suggestions = [suggestion(each) for each in conflicts]
    # A port takes five columns, and there are three gaps of two.
    left = max(room - services - max(map(width, suggestions)) - 11, 12)
    for each, said in zip(conflicts, suggestions, strict=True):
        yield [
            (pad(each["service"], services), "strong"),
            (f"  {each['port']:>5}  ", ""),
            (pad(who_has(each, left), left) + "  ", "dim"),
            (said, "attention" if is_marked(each) else "good"),
        ]


def port_heading(report: Json) -> str:
    """Return the line above the facts."""
    wanted = f", which {one_line(report['service'])} wants," if "service" in report else ""
    summary = one_line(report["summary"])
    if width(summary) > LONGEST_SUMMARY and report["holders"]:
        # The facts below show the full command; the pid must not be lost.
        pids = ", ".join(str(holder["identity"]["pid"]) for holder in report["holders"])
        summary = f"{cut(summary, LONGEST_SUMMARY)} (pid {pids})"
    return f"Port {report['port']}{wanted} is {summary}."
