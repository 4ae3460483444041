"""The keys of the dashboard, defined once for the footer, the help screen, the palette and the guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Key(NamedTuple):
    """A key of the main screen, and its action."""

    key: str
    action: str
    label: str
    """Its name in the footer and the palette."""
    help: str
    group: str
    footer: int = 0
    """Its rank in the footer: 1 is the last to be dropped for lack of room; 0 stands for `LAST`."""
    when_all_rest: int = 0
    """Its rank in the footer while nothing runs, if it differs."""
    display: str = ""
    """The key's label, if Textual's name is unusual."""


SERVICES, LOGS, MORE = "Services", "Logs", "Everything else"

KEYS = (
    Key("s", "start", "Start", "start the service, with all that it depends on", SERVICES, footer=3),
    Key("x", "stop", "Stop", "stop the service", SERVICES, footer=3),
    Key(
        "x", "end_now", "End now", "once more while it stops: end it at once (asks first)", SERVICES, footer=3
    ),
    Key("r", "restart", "Restart", "restart the service, with the current configuration", SERVICES, footer=4),
    Key("S", "start_all", "Start all", "start every service", SERVICES, footer=17, when_all_rest=3),
    Key(
        "X",
        "stop_all",
        "Stop all",
        "stop every service; once more: end at once what is left (asks first)",
        SERVICES,
        footer=14,
    ),
    Key("R", "restart_all", "Restart all", "restart every service", SERVICES, footer=18),
    Key(
        "C",
        "restart_changed",
        "Restart changed",
        "restart what was configured anew since it started",
        SERVICES,
    ),
    Key("o", "open_url", "Open", "open the service's URL in the browser", SERVICES, footer=9),
    Key("u", "copy_url", "Copy URL", "copy the service's URL", SERVICES, footer=13),
    Key(
        "d",
        "details",
        "Details",
        "why it is as it is: exit, dependencies, probe, environment, files",
        SERVICES,
        footer=5,
    ),
    Key(
        "i",
        "attach",
        "Type",
        "type into the service: a debugger, a question; Ctrl-] comes back",
        SERVICES,
    ),
    Key("m", "mark", "Mark", "mark the service, or not: s, x and r count for all that are marked", SERVICES),
    Key("M", "unmark", "Unmark", "mark no service any more", SERVICES),
    Key("b", "go_to_blocker", "Waits for", "go to the service that this one waits for", SERVICES),
    Key("D", "graph", "Graph", "who waits for whom, who talks to whom", SERVICES),
    Key(
        "comma",
        "order",
        "Order",
        "order the services: by dependency layer, trouble first, by CPU, memory, name; then as configured",
        SERVICES,
        display=",",
    ),
    Key(
        "semicolon",
        "services",
        "Only",
        "show only services whose name matches a regular expression; empty shows all again",
        SERVICES,
        display=";",
    ),
    Key("a", "all", "All", "show the output of all services together, or of this one alone", LOGS, footer=6),
    Key(
        "slash",
        "search",
        "Search",
        "search by regular expression; Up brings earlier ones back, Esc clears it",
        LOGS,
        footer=7,
        display="/",
    ),
    Key("n", "next_match", "Next match", "go to the next match", LOGS),
    Key("N", "previous_match", "Previous match", "go to the match before", LOGS),
    Key(
        "f",
        "filter",
        "Filter",
        "show only lines that match a regular expression; empty shows all again",
        LOGS,
        footer=11,
    ),
    Key(
        "L",
        "level",
        "Level",
        "show only lines of a level: info, warning, error; then all again",
        LOGS,
        footer=19,
    ),
    Key(
        "A",
        "requests",
        "Requests",
        "leave out the lines about requests that were answered, or show them",
        LOGS,
        footer=20,
    ),
    Key(
        "F",
        "fold",
        "Unfold",
        "unfold the JSON line or the traceback of the cursor, all of them without one; Enter in the logs",
        LOGS,
        footer=21,
    ),
    Key("e", "next_error", "Error", "go to the next error of any service", LOGS, footer=10),
    Key("E", "previous_error", "Previous error", "go to the error before", LOGS),
    Key("space", "pause", "Pause", "stop following, or follow again", LOGS),
    Key("w", "wrap", "Wrap", "break long lines, or do not", LOGS, footer=12),
    Key("t", "timestamps", "Times", "show when each line was printed", LOGS, footer=15),
    Key("y", "copy", "Copy", "copy what is selected, else the line of the cursor, else the last line", LOGS),
    Key("Y", "copy_lines", "Copy lines", "copy the last lines that are shown: says how many first", LOGS),
    Key(
        "O",
        "open_link",
        "Open link",
        "open the URL, or the file and line, that the line of the cursor names, else the latest one",
        LOGS,
    ),
    Key("V", "edit", "Editor", "open the lines that are shown in $VISUAL or $EDITOR", LOGS),
    Key("W", "save", "Save", "write the lines that are shown into a file", LOGS),
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
    Key("ctrl+u", "scroll_log('half_up')", "Half a page up", "scroll up by half a page", LOGS),
    Key("ctrl+d", "scroll_log('half_down')", "Half a page down", "scroll down by half a page", LOGS),
    Key(
        "home,g",
        "scroll_log('home')",
        "First line",
        "go to the first line that is kept",
        LOGS,
        display="Home, g",
    ),
    Key("end,G", "scroll_log('end')", "Last line", "go to the end and follow", LOGS, display="End, G"),
    Key(
        "c",
        "tasks",
        "Tasks",
        "choose a task of devinit.toml and run it; its output has a page of its own",
        MORE,
        footer=22,
    ),
    Key("p", "ports", "Ports", "who has which port; choose, move, free", MORE, footer=8),
    Key(
        "v",
        "environment",
        "Environment",
        "what .env.runtime says, and what changed since services started",
        MORE,
        footer=16,
    ),
    Key("T", "theme", "Light or dark", "switch between the light and the dark theme", MORE),
    Key("ctrl+r", "revive", "Supervisor", "start a supervisor when it is gone", MORE),
    Key("question_mark", "help", "Help", "show every key", MORE, footer=1, display="?"),
    Key("q", "leave", "Quit", "leave; services keep running", MORE, footer=2),
    Key("Q", "stop_and_leave", "Stop and quit", "stop every service and leave (asks first)", MORE),
)
"""Further keys: Ctrl-P opens the palette, Tab switches between the table and the logs, arrow keys choose."""


def shown_key(key: Key) -> str:
    """Return the label of a key."""
    names = {"pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End", "space": "Space"}
    return key.display or names.get(key.key) or key.key.replace("ctrl+", "Ctrl-")


LAST = 100
"""The rank of keys that the footer only shows if there is room for everything."""
NEVER = ("scroll_log", "clear", "copy_lines", "save", "theme", "next_match", "previous_match")
"""Actions that the footer does not offer: users find them in their usual places."""


def ranks(*, all_rest: bool, counts_now: Mapping[str, int]) -> dict[str, int]:
    """Return the rank of every action in the footer.

    `all_rest`: nothing runs; `counts_now`: the actions that the selected service calls for, with their ranks.
    """
    found = {key.action: (all_rest and key.when_all_rest) or key.footer or LAST for key in KEYS}
    return found | dict(counts_now)


def is_offered(key: Key) -> bool:
    """Whether the footer offers a key if there is room."""
    return not key.action.startswith(NEVER)


def in_footer(entries: Sequence[tuple[str, int]], columns: int, ranked: Mapping[str, int]) -> list[int]:
    """Return the entries that fit into the footer; they are actions with widths, dropped by rank."""
    known = {**ranked, "app.pop_screen": 0}
    shown = list(range(len(entries)))
    while len(shown) > 1 and sum(entries[number][1] for number in shown) > columns:
        # The keys of a page are ordered by importance; the way back is dropped last.
        shown.remove(max(shown, key=lambda number: (known.get(entries[number][0], number), number)))
    return shown
