"""Every key of the dashboard, once: the footer, the help screen, the palette and the guide say the same."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """A key of the main screen, and what it does."""

    key: str
    action: str
    label: str
    """In the footer and the palette."""
    help: str
    group: str
    footer: bool = False
    display: str = ""
    """How the key is written, where Textual's own name is unusual."""


SERVICES, LOGS, MORE = "Services", "Logs", "Everything else"

KEYS = (
    Key("s", "start", "Start", "start the service, with all that it depends on", SERVICES, footer=True),
    Key("x", "stop", "Stop", "stop the service", SERVICES, footer=True),
    Key(
        "r", "restart", "Restart", "restart the service, with the configuration of now", SERVICES, footer=True
    ),
    Key("S", "start_all", "Start all", "start every service", SERVICES),
    Key("X", "stop_all", "Stop all", "stop every service (asks first)", SERVICES),
    Key("R", "restart_all", "Restart all", "restart every service", SERVICES),
    Key(
        "C",
        "restart_changed",
        "Restart changed",
        "restart what was configured anew since it started",
        SERVICES,
    ),
    Key("o", "open_url", "Open", "open the service's URL in the browser", SERVICES, footer=True),
    Key("u", "copy_url", "Copy URL", "copy the service's URL", SERVICES),
    Key(
        "d",
        "details",
        "Details",
        "why it is as it is: exit, dependencies, probe, environment, files",
        SERVICES,
        footer=True,
    ),
    Key(
        "a", "all", "All", "show the output of all services together, or of this one alone", LOGS, footer=True
    ),
    Key("slash", "search", "Search", "search by regular expression", LOGS, footer=True, display="/"),
    Key("n", "next_match", "Next match", "go to the next match", LOGS),
    Key("N", "previous_match", "Previous match", "go to the match before", LOGS),
    Key(
        "f",
        "filter",
        "Filter",
        "show only lines that match a regular expression; empty shows all again",
        LOGS,
    ),
    Key("e", "next_error", "Error", "go to the next error of any service", LOGS, footer=True),
    Key("E", "previous_error", "Previous error", "go to the error before", LOGS),
    Key("space", "pause", "Pause", "stop following, or follow again", LOGS),
    Key("w", "wrap", "Wrap", "break long lines, or do not", LOGS),
    Key("t", "timestamps", "Times", "show when each line was seen", LOGS),
    Key("y", "copy", "Copy", "copy what is selected, else the line of the cursor, else the last line", LOGS),
    Key("z", "zoom", "Zoom", "give the logs the whole screen", LOGS),
    Key(
        "l",
        "stream",
        "Plain stream",
        "leave the frames: the terminal's own scrolling and selecting work, Ctrl-C comes back",
        LOGS,
    ),
    Key("ctrl+l", "clear", "Clear", "clear the view; the files keep everything", LOGS),
    Key("pageup", "scroll_log('page_up')", "Page up", "scroll up, and stop following", LOGS),
    Key("pagedown", "scroll_log('page_down')", "Page down", "scroll down; follow again at the end", LOGS),
    Key("home", "scroll_log('home')", "First line", "go to the first line that is kept", LOGS),
    Key("end", "scroll_log('end')", "Last line", "go to the end and follow", LOGS),
    Key("p", "ports", "Ports", "who has which port; choose, move, free", MORE, footer=True),
    Key(
        "v",
        "environment",
        "Environment",
        "what .env.runtime says, and what changed since services started",
        MORE,
    ),
    Key("T", "theme", "Light or dark", "switch between the light and the dark theme", MORE),
    Key("ctrl+r", "revive", "Supervisor", "start a supervisor when it is gone", MORE),
    Key("question_mark", "help", "Help", "show every key", MORE, footer=True, display="?"),
    Key("q", "leave", "Quit", "leave; services keep running", MORE, footer=True),
    Key("Q", "stop_and_leave", "Stop and quit", "stop every service and leave (asks first)", MORE),
)
"""Ctrl-P opens the palette, Tab goes from the table to the logs and back, the arrow keys choose."""


def shown_key(key: Key) -> str:
    """Return a key as it is written."""
    names = {"pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "space": "Space"}
    return key.display or names.get(key.key) or key.key.replace("ctrl+", "Ctrl-")
