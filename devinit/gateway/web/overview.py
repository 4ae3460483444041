"""The page at `http://devinit.localhost`, with all projects of the machine. Pure.

The page is complete without its script, which only keeps it up to date while it is open, and filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

Row = Mapping[str, Any]
# JSON: values of several kinds.

MARKS = {
    "ready": "✓",
    "unhealthy": "⚠",
    "failed": "✗",
    "stopped": "·",
    "exited": "✓",
    "orphaned": "⚠",
}
SCRIPT = "/assets/overview.js"
STYLE = "/assets/overview.css"


def page(projects: Iterable[Row], used: Iterable[Row]) -> str:
    """Return the whole page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>devinit</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="stylesheet" href="{STYLE}"><script type="module" src="{SCRIPT}"></script></head><body>'
        '<header><h1>devinit</h1><label>Filter <input id="filter" type="search" autocomplete="off" '
        'aria-keyshortcuts="/"></label><p id="live" role="status"></p></header>'
        f'<main id="projects">{body(projects, used)}</main></body></html>'
    )


def body(projects: Iterable[Row], used: Iterable[Row]) -> str:
    """Return the part of the page that changes while it is open."""
    known = {(each["project"], each["name"]): each for each in used}
    found = [_project(each, known) for each in projects]
    return "".join(found) or "<p>devinit was started nowhere yet.</p>"


def _project(project: Row, known: Mapping[tuple[str, str], Row]) -> str:
    name, state = project["project"] or project["root"], project["state"]
    branch = f" · {escape(project['branch'])}" if project["branch"] else ""
    advice = f'<p class="advice">{escape(project["advice"])}</p>' if project["advice"] else ""
    rows = "".join(
        _service(each, known.get((project["project"], each["name"]))) for each in project["services"]
    )
    head = "".join(
        f'<th scope="col">{each}</th>' for each in ("Service", "State", "Port", "Address", "CPU", "Memory")
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return (
        f'<section class="{escape(state)}"><h2>{escape(name)} <small>{escape(state)}{branch}</small></h2>'
        f'<p class="root">{escape(project["root"])}</p>{advice}{table}</section>'
    )


def _service(service: Row, used: Row | None) -> str:
    phase = service["phase"] or "unknown"
    mark = MARKS.get(phase, "…")
    urls = service["urls"] or ([service["url"]] if service["url"] else [])
    links = "<br>".join(f'<a href="{escape(each)}">{escape(each)}</a>' for each in urls)
    cpu = f"{used['cpu_percent']:.0f} %" if used and used["cpu_percent"] is not None else ""
    memory = f"{used['memory_bytes'] / 1e6:.0f} MB" if used and used["memory_bytes"] is not None else ""
    cells = (
        f'<th scope="row">{escape(service["name"])}</th>',
        f'<td class="{escape(phase)}"><span aria-hidden="true">{mark}</span> {escape(phase)}</td>',
        f"<td>{service['port'] if service['port'] is not None else ''}</td>",
        f"<td>{links}</td><td>{cpu}</td><td>{memory}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"
