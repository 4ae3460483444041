"""A taken port in words: the same in questions, in `ports who` and in the dashboard. Pure.

The input comes off the wire: a PortReport or a Conflict as JSON.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from devinit.masking import masked_words
from devinit.text import cut, duration, one_line, width, without_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    # The sender has validated this JSON.
    Json = dict[str, Any]

VERDICTS = {
    "ours": "It is a service of this checkout that devinit looks after.",
    "orphan": "It is left over from an earlier run: devinit started it, and no supervisor looks after it.",
    "stray": "It works in this checkout, and devinit did not start it.",
    "program": "It is a program of yours that has leased the port: devinit did not start it.",
    "neighbour": "It is a service of another devinit project.",
    "reserved": "No process uses it now; it is reserved for a devinit service that does not run.",
    "assigned": "No process uses it now; PM2 starts an application on it that is stopped.",
    "container": "A container publishes it.",
    "supervised": "Ending it helps for a moment only: it would be started again.",
    "forward": "It forwards the port for something else.",
    "protected": "It is never ended: more than this port depends on it.",
    "other_user": "It is another user's.",
    "connection": "No process listens on it: a connection uses it, or was closed a moment ago.",
    "bound": "A process has it without listening on it.",
    "forbidden": "The kernel refuses it to you.",
    "stranger": "It is a process of yours that devinit did not start.",
}
"""The meaning of each kind of verdict."""
UNDECIDED = ("retry", "abort")
"""Defaults that are no suggestions: the user has to decide."""
_SERVED = {True: "IPv4 and IPv6", False: "IPv6 only", None: "IPv6"}
"""The protocols of a listener on every IPv6 address; if that is unknown, only IPv6 is shown."""
FEW_ANCESTORS = 3
SHORTEST_TITLE = 4
"""If less space is left for a command, only its pid is shown."""
ANCESTOR_COLUMNS = 24
"""Enough of an ancestor's command to identify it."""

Row = tuple[str, str]
"""The name of a fact, and the fact."""


def holder_rows(holder: Json, *, in_full: bool) -> Iterator[Row]:
    """Yield the facts by which the user recognises a process."""
    yield "command", title_of(holder, in_full=in_full)
    stopped = ", stopped (Ctrl-Z)" if holder["stopped"] else ""
    pid, user = holder["identity"]["pid"], one_line(holder["user"])
    yield "process", f"{pid} of user {user}, for {duration(holder['age_seconds'])}{stopped}"
    top, directory = holder["worktree"], holder["directory"]
    branch = f" (branch {one_line(holder['branch'])})" if holder["branch"] else ""
    if directory:
        yield "folder", short(directory) + (branch if top == directory else "")
    if top and top != directory:
        yield "checkout", short(top) + branch
    if ancestors := holder["ancestors"]:
        few, room = (ancestors, None) if in_full else (ancestors[:FEW_ANCESTORS], ANCESTOR_COLUMNS)
        titles = [one_line(each["title"]) for each in few]
        chain = [
            f"{cut(without_folder(title), room) if room else title} ({each['pid']})"
            for title, each in zip(titles, few, strict=True)
        ]
        yield "started by", " < ".join([*chain, *(["…"] if len(few) < len(ancestors) else [])])
    if manager := holder["manager"]:
        of = f", as {one_line(manager['name'])}" if manager["name"] else ""
        by = f" (pid {manager['pid']})" if manager["pid"] is not None else ""
        yield "kept up by", f"{one_line(manager['kind'])}{by}{of}"
        if manager["stop_command"]:
            yield "ended with", f"`{one_line(manager['stop_command'])}`"


def port_rows(report: Json, others: list[Json]) -> Iterator[Row]:
    """Yield the facts beyond the processes; `others` are processes that are only counted."""
    if others:
        yield "as well as", ", ".join(f"pid {each['identity']['pid']}" for each in others)
    if addresses := dict.fromkeys(where(each) for each in report["listeners"]):
        clients = report["clients"]
        connected = f", {clients} {'client' if clients == 1 else 'clients'} connected" if clients else ""
        yield "listens on", " and ".join(addresses) + connected
    if container := report["container"]:
        service, project = container["compose_service"], container["compose_project"]
        compose = f", {service} of the Compose project {project}" if service and project else ""
        yield (
            "container",
            one_line(f"{container['name']} of {container['engine']}, image {container['image']}{compose}"),
        )
    # Without a process, the heading names the owner.
    if (owner := report["owner"]) and report["holders"]:
        yield (
            "service",
            f"{one_line(owner['service'])} of {one_line(owner['project'])}, {short(owner['root'])}",
        )


def title_of(holder: Json, *, in_full: bool = False) -> str:
    """Return a process's command, or its name, on one line; without the program's folder unless `in_full`."""
    program, *words = masked_words(holder["command"] or [str(holder["name"])])
    return one_line(" ".join([program if in_full else without_folder(program), *words]))


def parents_first(holders: list[Json]) -> list[Json]:
    """Return processes with each parent before its children."""
    pids = {each["identity"]["pid"] for each in holders}
    return sorted(holders, key=lambda each: each["parent_pid"] in pids)


def where(listener: Json) -> str:
    """Return an address in a form that users know."""
    match listener["address"]:
        case "0.0.0.0":  # noqa: S104  shown, not bound
            return "all addresses (IPv4)"
        case "::":
            return f"all addresses ({_SERVED[listener.get('dual_stack')]})"
        case address:
            return f"[{address}]" if ":" in address else str(address)


def short(path: str) -> str:
    """Return a path with `~` for the home directory."""
    home = os.path.expanduser("~")  # noqa: PTH111  a text that is shown
    inside = home not in ("", "/") and f"{path}/".startswith(f"{home}/")
    return one_line("~" + path.removeprefix(home) if inside else path)


def advice_of(report: Json) -> str:
    """Return the advice about a port as a sentence; a name at its beginning stays unchanged."""
    managers = [holder["manager"]["kind"] for holder in report["holders"] if holder["manager"]]
    services = [report["owner"]["service"]] if report["owner"] else []
    text = one_line(report["advice"])
    return text + "." if text.startswith((*managers, *services)) else sentence(text)


def sentence(text: str) -> str:
    """Return a text as a sentence: with a capital letter and a full stop."""
    text = one_line(text)
    first = text[:1].upper()
    return first + text[1:] + ("." if text and not text.endswith(".") else "")


def answer_text(kind: str, conflict: Json, room: int) -> str:
    """Return the text of an answer that is offered."""
    match kind:
        case "move":
            used_up = conflict.get("used_up")
            beyond = f", because {used_up} is used up" if used_up else ""
            return cut(f"move to {conflict['move_to']}{beyond}", room)
        case "kill":
            return kill_text(conflict["holders"], ended_by(conflict), room)
        case "reuse":
            running = one_line(conflict["reuse"]) or "the running one"
            return cut(f"use {running}; devinit never stops it", room)
        case "take":
            owner = conflict["owner"]
            return cut(
                f"take it from {owner['project']}, which does not use it now" if owner else "take it", room
            )
        case "retry":
            return "try again"
    return kind


def kill_text(holders: list[Json], ends: int, room: int) -> str:
    """Return the text of an answer that ends processes: as many names as there is space for, and the count."""
    first, *others = parents_first(holders)
    more = f" and {len(others)} more" if others else ""
    counted = f", {ends_text(ends)}"
    pid = first["identity"]["pid"]
    left = room - width(f"kill {pid} (){more}{counted}")
    if left >= SHORTEST_TITLE:
        return f"kill {pid} ({cut(title_of(first), left)}){more}{counted}"
    # The count is dropped last.
    short = f"kill {pid}{more}{counted}"
    return short if width(short) <= room else cut(f"kill {pid}{counted}", room)


def ends_text(count: int) -> str:
    """Return how many processes an answer ends; every answer that ends any shows this."""
    return f"ends {count} process{'' if count == 1 else 'es'}"


def ended_by(report: Json) -> int:
    """Return how many processes end with the holders of a port."""
    # An older supervisor does not count them.
    return report.get("ends") or len(report["holders"])


def has_suggestion(conflict: Json) -> bool:
    """Whether there is a harmless answer: it ends only processes that devinit itself has started."""
    return conflict["default"] not in UNDECIDED


def who_has(conflict: Json, room: int) -> str:
    """Return who has a port, in one cell; the pid is dropped last."""
    summary = one_line(conflict["summary"]).removeprefix("held by ")
    if width(summary) <= room or len(conflict["holders"]) != 1:
        return cut(summary, room)
    [holder] = conflict["holders"]
    pid = f" (pid {holder['identity']['pid']})"
    return cut(title_of(holder), max(room - width(pid), 8)) + pid


def suggestion(conflict: Json) -> str:
    """Return the harmless answer, in a few words."""
    match conflict["default"]:
        case "move":
            return f"move to {conflict['move_to']}"
        case "kill":
            first, *others = parents_first(conflict["holders"])
            more = f" and {len(others)} more" if others else ""
            return f"kill {first['identity']['pid']}{more}, {ends_text(ended_by(conflict))}"
        case "reuse":
            return "use it"
        case "take":
            return "take it"
    return "you decide"


def accept_text(conflicts: list[Json], room: int) -> str:
    """Return the text of the offer to accept all suggestions, with how many processes that ends."""
    ends = sum(ended_by(each) for each in conflicts if each["default"] == "kill")
    counted = f" ({ends_text(ends)})" if ends else ""
    undecided = [each["service"] for each in conflicts if not has_suggestion(each)]
    left = f", then ask about {', '.join(undecided)}" if undecided else ""
    texts = (
        f"accept all suggestions{counted}{left}",
        f"accept all suggestions{counted}",
        f"accept all{counted}",
    )
    return next((text for text in texts if width(text) <= room), cut(texts[-1], room))


def is_marked(conflict: Json) -> bool:
    """Return whether a conflict needs attention: it has no suggestion, or the suggestion ends a process."""
    return conflict["default"] in (*UNDECIDED, "kill")
