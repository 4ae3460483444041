"""Generate docs/reference/ from the code's own descriptions, so that no fact is typed twice."""

# ruff: noqa: SLF001  argparse has no other way to tell what it knows

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from devinit import errors
from devinit.cli.arguments import module_of, parser_of
from devinit.cli.main import COMMANDS
from devinit.config.json_schema import json_schema
from devinit.model import event, status

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
GENERATED = "<!-- Written by scripts/reference from the code. Do not edit. -->"

STREAMS = """\
Results go to standard output, talk goes to standard error: progress, notes, hints and errors. Colours and lines
that are redrawn appear only on a terminal; a log line may colour a terminal and do nothing else to it.

`-C DIR` works on the project in DIR and stands before or behind the command. Without it the project is the nearest
folder, from the current one up to the top of its git repository, with a `devinit.toml`, with services that run, or
with a `backend/` or `frontend/` folder. A `devinit.toml` above the repository counts when one of its services has
its `directory` in the repository. Where none of them is found, a Procfile or a use of PostgreSQL or Redis in the
current folder or at the top of its repository makes that folder the project.

No SERVICE means all of them, and so does `all`. Starting a service starts what it depends on. Starting what runs
already is success. Ctrl-C during a start stops what that start was bringing up, and nothing else; during a restart
only what did not run before it.
"""

EXIT_CODES = {
    0: "done",
    1: "a service failed: its last 20 lines are shown; or the output could not be written",
    2: "the command line, the configuration or a file of the project is wrong",
    3: "a port conflict was not resolved, or the person aborted",
    4: "timed out",
    5: "the supervisor could not be reached or started",
    126: "`devinit run`: the command cannot be executed",
    127: "`devinit run`: there is no such command",
    130: "interrupted by Ctrl-C; this also ends `logs --follow`",
    143: "ended by SIGTERM while it waited; likewise",
    141: "the reader of the output went away (`| head`)",
}
"""The meaning of each code. Every code of an exception must be here, which is checked below."""

VARIABLES = {
    "FORCE_MODE": "`true`: as `--force`, end the holder of a port where that is safe, else move",
    "DEVINIT_ON_CONFLICT": "`ask`, `kill`, `move`, `reuse` or `fail`, as `--on-conflict`, which counts more",
    "DEVINIT_PROFILE": "the profile of `devinit.toml`, as `--profile`",
    "QUIET": "`true`: no talk and no table after a start; errors and results that were asked for are printed",
    "NO_COLOR": "anything: no colours",
    "TERM": "`dumb`: no colours, nothing is redrawn, questions are answered by number",
    "DEVINIT_DEBUG": "anything: tracebacks of errors, and more in the supervisor's log",
    "<SERVICE>_PORT": "a preferred port for this start; also under the names in `port_env`",
    "SKIP_PORT_DISCOVERY": "`true`: no port moves, a taken one fails",
    "DEBUG_PORT_DISCOVERY": "`true`: say each candidate, and why it was passed over",
    "PORT_DISCOVERY_TIMEOUT": "milliseconds for the whole search",
}

WHO_DECIDES = """\
A taken port is decided about by `--on-conflict` or `--force`, else `FORCE_MODE`, else `DEVINIT_ON_CONFLICT`, else
by the person at the terminal. No question is asked without a terminal or with `--json`: then the port moves.
"""

JSON = """\
With `--json` standard output is JSON and nothing else: one object, or one object a line for `start`, `restart`,
`stop`, `events` and `logs`. An error is an object too, in place of the result or as the last line, beside the
message on standard error and the exit code:
"""

ERROR = {
    "type": "error",
    "kind": "PortConflict",
    "message": "port 8000 for backend is held by vite (pid 4242)",
    "hint": "stop the holder, or let it move",
    "exit_code": 3,
}

OF_THE_CLI = {
    "logs": "`service` and `line`, the line without colours, for each line",
    "ports": "`ports`: for each `service`, `port`, `preferred_port`, `next_port` (of its next start), "
    "`range` (first, last), `strict` and `phase`; `out_of_reach` as in `status`",
    "ports who": "`port` and `free`; of a taken one also what `conflicts` tell: `kind`, `summary`, `holders`, "
    "`listeners`, `clients`, `container`, `owner`, `killable`, `advice`",
    "ports free": "`port`, `free`, and who was `ended` for it, in words",
    "ports set": "`service`, `port`, and whether that `changed` anything",
    "ports reset": "`forgotten`: the ports that were remembered, by service",
    "env": "the variables and their values",
    "run --list": "`tasks`: `name`, `description`, `commands`, `service`, `directory` (null for one of a service) "
    "and `depends_on` of each; `suggestions`: `name`, `full_name`, `description`, `command`, `directory`, `file`, "
    "`line` and `says` of each",
    "init": "`path`, `services` and `notes`",
    "events": "events, as they have happened and happen",
    "start --json=summary": "the last event alone, `summary`; `restart` as well",
    "stop": "events, then `type` = `stopped` with `services` (those that ran) and `seconds`",
}
"""Objects that the command line itself creates; specified in tests/cli/test_commands.py."""


def command_page() -> Iterator[str]:
    """Yield the parts of cli.md."""
    yield f"# The command line\n\n{GENERATED}\n\n`devinit [-C DIR] COMMAND [OPTIONS]`\n"
    yield table(("command", "what it does"), [(f"[`{n}`](#devinit-{n})", s) for n, s in COMMANDS.items()])
    yield STREAMS
    for name in COMMANDS:
        yield from command_part(name)
    yield "## Who decides about a taken port\n"
    yield WHO_DECIDES
    yield "## Exit codes\n"
    yield table(("code", "meaning"), [(str(code), text) for code, text in EXIT_CODES.items()])
    yield "## Environment variables\n"
    yield table(("name", "meaning"), [(f"`{name}`", text) for name, text in VARIABLES.items()])
    yield from json_part()


def command_part(name: str) -> Iterator[str]:
    """Yield the parts of a command's section."""
    module = module_of(name)
    parser = parser_of(module, name)
    yield f"## devinit {name}\n"
    yield f"{(module.__doc__ or '').strip()}\n"
    yield f"```sh\n{module.EXAMPLE}\n```\n"
    if parser.usage:
        yield f"`{parser.usage}`\n"
    rows = list(rows_of(parser))
    if rows:
        yield table(("word", "meaning"), rows)
    for action in parser._actions:
        helps = {each.dest: each.help for each in getattr(action, "_choices_actions", ())}
        for word, inner in getattr(action, "_name_parser_map", {}).items():
            yield f"`devinit {name} {word}`: {helps[word]}.\n"
            yield table(("word", "meaning"), list(rows_of(inner)))


def rows_of(parser: Any) -> Iterator[tuple[str, str]]:
    """Yield each word that a parser takes, except the common ones. Any: argparse's own tables."""
    for action in parser._actions:
        if action.dest in ("help", "directory") or hasattr(action, "_name_parser_map"):
            continue
        value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
        if action.choices and not action.metavar:
            value = "|".join(action.choices)
        words = [f"`{option} {value}`".replace(" `", "`") for option in action.option_strings] or [
            f"`{value}`"
        ]
        yield ", ".join(words), action.help or ""


def json_part() -> Iterator[str]:
    """Yield the section on JSON output: errors, objects of the command line, events, status and why."""
    yield "## JSON\n"
    yield JSON
    yield f"```json\n{json.dumps(ERROR, indent=2)}\n```\n"
    yield (
        "`kind` is one of "
        + ", ".join(f"`{each}`" for each in kinds())
        + ". A port conflict that was not resolved carries `conflicts`: what is known of each port, as "
        "`ports who` tells it, with its `service`.\n"
    )
    yield table(("command", "object"), [(f"`{name}`", text) for name, text in OF_THE_CLI.items()])
    yield "### Events\n"
    yield "The lines of `start --json` and `restart --json`; each has `type` and `at`, the Unix time.\n"
    for kind in get_args(event.Event):
        yield from shape(kind, f"`{get_args(get_type_hints(kind)['type'])[0]}`", skipped=("type", "at"))
    yield from shape(event.SummaryRow, "Each of the `services` of a `summary`")
    yield "### status --json\n"
    yield from shape(status.ProjectStatus, "The object")
    yield from shape(status.ServiceStatus, "Each of its `services`")
    yield f"A `phase` is one of {', '.join(f'`{each.value}`' for each in status.Phase)}.\n"
    yield from shape(status.LastError, "A `last_error`")
    yield from shape(status.WrongServer, "Each of the `wrong_servers`")
    yield from shape(status.InputWait, "The `waits_for_input`")
    yield "### why --json\n"
    yield from shape(status.WhyReport, "The object")
    yield "### check --json\n"
    yield from shape(status.CheckReport, "The object")
    yield from shape(status.Checked, "Each of its `services`")
    yield "### wait --json\n"
    yield from shape(status.WaitReport, "The object")
    yield from shape(status.Awaited, "Each of its `services`")


def kinds() -> list[str]:
    """Return the names of all errors."""
    return [name for name, each in vars(errors).items() if isinstance(each, type)]


def shape(kind: type, title: str, skipped: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the fields of an object in the JSON output."""
    said = (kind.__doc__ or "").strip().partition("\n")[0]
    yield f"{title}: {said[:1].lower()}{said[1:]}\n" if said else f"{title}:\n"
    fields = get_type_hints(kind)
    yield (
        ", ".join(f"`{name}` ({named(hint)})" for name, hint in fields.items() if name not in skipped) + ".\n"
    )


def named(hint: Any) -> str:
    """Return the name of a type for authors of JSON. Any: whatever an annotation contains."""
    names = {str: "text", int: "integer", float: "number", bool: "true or false", type(None): "null"}
    if hint in names:
        return names[hint]
    if isinstance(hint, type) and hasattr(hint, "__annotations__"):
        return "object"
    inner = get_args(hint)
    if str(hint).startswith("typing.Literal"):
        return ", ".join(f'"{value}"' for value in inner)
    if str(hint).startswith("list"):
        return f"list of {named(inner[0])}"
    return " or ".join(dict.fromkeys(named(each) for each in inner))


def configuration_page() -> Iterator[str]:
    """Yield the parts of configuration.md."""
    schema = json.loads(json_schema())
    definitions = schema["$defs"]
    yield f"# devinit.toml\n\n{GENERATED}\n"
    yield (
        "Every key with its type and what it means; `devinit schema` prints the same for editors. Unknown keys "
        "are refused. The file may be missing: the services are then those that the repository shows, and "
        "`devinit init` writes them down ([what devinit finds](../guides/detection.md)).\n"
    )
    for title, definition in sections(definitions):
        about = definitions[definition]
        yield f"## {title}\n"
        yield f"{about.get('description', '').strip()}\n"
        rows = [
            (f"`{key}`", type_of(value, definitions), escaped(value.get("description", "")))
            for key, value in about["properties"].items()
        ]
        yield table(("key", "type", "meaning"), rows)


def sections(definitions: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the tables of the file, each with its title; those of a service come after it."""
    titles = {
        "ConfigurationFile": "The file",
        "ProjectTable": "[project]",
        "ServiceTable": "[services.NAME]",
        "ExtraPortTable": "services.NAME.extra_ports.PORT",
        "TaskTable": "[tasks.NAME]",
        "Layer": "[profiles.NAME]",
    }
    inner = {
        name: f"services.NAME.{name.removesuffix('Table').lower()}"
        for name in definitions
        if name.endswith("Table") and name not in titles
    }
    order = [
        "ConfigurationFile",
        "ProjectTable",
        "ServiceTable",
        "ExtraPortTable",
        *inner,
        "TaskTable",
        "Layer",
    ]
    return [({**inner, **titles}[name], name) for name in order if name in definitions]


def type_of(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return the name of a key's type in plain words."""
    if "enum" in value:
        return " or ".join(f"`{each}`" for each in value["enum"])
    if "$ref" in value:
        target = definitions[value["$ref"].rpartition("/")[2]]
        return type_of(target, definitions) if "enum" in target else "table"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(type_of(each, definitions) for each in value["anyOf"]))
    match value.get("type"):
        case "array":
            return f"list of {type_of(value.get('items', {}), definitions)}"
        case "object":
            return "table"
        case "string":
            return "text"
        case "boolean":
            return "true or false"
        case "null":
            return "nothing"
    return str(value.get("type", "anything"))


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [header, ("---",) * len(header), *(tuple(map(escaped, row)) for row in rows)]
    return (
        "\n".join(f"| {' | '.join(line)} |" for line in lines)
        .replace("| --- ", "|---")
        .replace("--- |", "---|")
        + "\n"
    )


def escaped(text: str) -> str:
    """Return the text with `|` escaped, so that it does not end its cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", text.strip())


def check_exit_codes() -> None:
    """Raise ValueError when an error has an exit code that the page does not describe."""
    tree = (each for each in vars(errors).values() if isinstance(each, type))
    missing = {each.exit_code for each in tree if issubclass(each, errors.DevinitError)} - set(EXIT_CODES)
    if missing:
        raise ValueError(f"exit codes without a meaning: {missing}")


def main() -> int:
    """Write the pages, or with --check report which ones are outdated."""
    check_exit_codes()
    pages = {"cli.md": command_page(), "configuration.md": configuration_page()}
    stale = []
    for name, parts in pages.items():
        path, text = FOLDER / name, "\n".join(parts)
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    said = "is not current: run scripts/reference" if "--check" in sys.argv else "written"
    for name in stale:
        print(f"docs/reference/{name} {said}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
