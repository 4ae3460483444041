"""Print a completion script: `source <(devinit completion bash)`, or the same for zsh and fish."""

from __future__ import annotations

from devinit.cli.arguments import module_of, parser_of
from devinit.cli.main import COMMANDS
from devinit.cli.project import root_of
from devinit.config.names_stated import is_word, profiles_stated, tasks_stated
from devinit.exporters import BUILT_IN
from devinit.system import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path

    from devinit.cli.arguments import Arguments

EXAMPLE = "source <(devinit completion bash)"

# The services come from `status --json`, which answers within a keystroke, and prints nothing outside of a
# project. -C is passed on as it was typed.
SERVICES = (
    "devinit {place} status --json 2>/dev/null"
    """ | tr '{{' '\\n' | sed -n 's/^"name": "\\([^"]*\\)".*/\\1/p'"""
)
PAGES = SERVICES.replace(" | sed", """ | grep -E '"port": [0-9].*"has_pages": true|"url": "http' | sed""")
"""A stopped service has no URL yet, so `has_pages` selects it."""
PROFILES = "devinit {place} completion profiles 2>/dev/null"
TASKS = "devinit {place} completion tasks 2>/dev/null"
TAKING_SERVICES = (
    "start",
    "stop",
    "restart",
    "status",
    "logs",
    "attach",
    "debug",
    "shell",
    "why",
    "check",
    "wait",
)
ASKED = {"--profile": "(__devinit_profiles)", "--service": "(__devinit_services)"}
"""The functions from which fish gets the values of options."""
VALUES = {"--on-conflict": "ask kill move reuse fail", "--format": "dotenv shell json"}

BASH = r"""_devinit_offer() {{
    # What comes from a project is compared and quoted, and never expanded, as `compgen -W` would.
    local typed="$1" line quoted
    while IFS= read -r line; do
        printf -v quoted %q "$line"
        if [[ -n "$line" && ( "$line" == "$typed"* || "$quoted" == "$typed"* ) ]]; then
            COMPREPLY+=("$quoted")
        fi
    done <<< "$2"
}}
_devinit() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" at=1 place=() typed
    COMPREPLY=()
    if [ "$previous" = -C ]; then
        compopt -o dirnames 2>/dev/null
        return
    fi
    if [ "${{COMP_WORDS[1]}}" = -C ]; then
        # A key stroke runs nothing: quotes and backslashes are taken off without `eval`.
        at=3 typed="${{COMP_WORDS[2]}}"
        case "$typed" in
            \'*\' | \"*\") typed="${{typed:1:${{#typed}}-2}}" ;;
            *)
                IFS= read typed <<< "$typed"
                case "${{COMP_WORDS[2]}}" in "~" | "~/"*) typed="$HOME${{typed:1}}" ;; esac
                ;;
        esac
        place=(-C "$typed")
    fi
    if [ "$COMP_CWORD" -le "$at" ]; then
        COMPREPLY=($(compgen -W "{commands} -C --help --version" -- "$word"))
        return
    fi
    case "$previous" in
{values}
        --profile) _devinit_offer "$word" "$({profiles})"; return ;;
        -s | --service) _devinit_offer "$word" "$({services})"; return ;;
    esac
    case "${{COMP_WORDS[at]}} ${{COMP_WORDS[at+1]}} $((COMP_CWORD - at))" in
        ports\ set\ 2) _devinit_offer "$word" "$({services})"; return ;;
        ports\ reset\ *[2-9]) _devinit_offer "$word" "$(echo all; {services})"; return ;;
        ports\ set\ *[3-9] | ports\ who\ *[2-9] | ports\ free\ *[2-9] | ports\ find\ *[2-9]) return ;;
    esac
    case "${{COMP_WORDS[at]}} $word" in
{options}
        {taking}) _devinit_offer "$word" "$(echo all; {services})" ;;
        open\ *) _devinit_offer "$word" "$({pages})" ;;
        ports\ *) _devinit_offer "$word" "$(printf '%s\n' who free find set reset; {services})" ;;
        completion\ *) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")) ;;
        export\ *)
            case "$previous" in -o | --output) compopt -o default 2>/dev/null; return ;; esac
            COMPREPLY=($(compgen -W "{formats}" -- "$word"))
            ;;
        help\ *) COMPREPLY=($(compgen -W "{commands}" -- "$word")) ;;
        run\ *)
            compopt -o default 2>/dev/null
            if [ "$COMP_CWORD" -eq "$((at + 1))" ]; then _devinit_offer "$word" "$({tasks})"; fi
            ;;
        exec\ *)
            if [ "$COMP_CWORD" -eq "$((at + 1))" ]; then
                _devinit_offer "$word" "$({services})"
            else
                compopt -o default 2>/dev/null
            fi
            ;;
        forget\ *) compopt -o dirnames 2>/dev/null ;;
    esac
}}
complete -F _devinit devinit
"""

ZSH = """\
#compdef devinit
_devinit() {{
    local -a commands place
    local at=2
    commands=({described})
    if [[ ${{words[CURRENT-1]}} == -C ]]; then
        _files -/
        return
    fi
    if [[ ${{words[2]}} == -C ]]; then
        at=4
        place=(-C "${{(Q)words[3]}}")
    fi
    if (( CURRENT <= at )); then
        _describe command commands
        return
    fi
    case "${{words[CURRENT-1]}}" in
{values}
        --profile) compadd -- ${{(f)"$({profiles})"}}; return ;;
        -s|--service) compadd -- ${{(f)"$({services})"}}; return ;;
    esac
    case "${{words[at]}} ${{words[at+1]}} $((CURRENT - at))" in
        ports\\ set\\ 2) compadd -- ${{(f)"$({services})"}}; return ;;
        ports\\ reset\\ *[2-9]) compadd -- all ${{(f)"$({services})"}}; return ;;
        ports\\ set\\ *[3-9]|ports\\ who\\ *[2-9]|ports\\ free\\ *[2-9]|ports\\ find\\ *[2-9]) return ;;
    esac
    case "${{words[at]}} ${{words[CURRENT]}}" in
{options}
        {taking}) compadd -- all ${{(f)"$({services})"}} ;;
        open\\ *) compadd -- ${{(f)"$({pages})"}} ;;
        ports\\ *) compadd -- who free find set reset ${{(f)"$({services})"}} ;;
        completion\\ *) compadd bash zsh fish ;;
        export\\ *)
            case "${{words[CURRENT-1]}}" in -o|--output) _files; return ;; esac
            compadd -- {formats}
            ;;
        help\\ *) _describe command commands ;;
        run\\ *)
            if (( CURRENT == at + 1 )); then compadd -- ${{(f)"$({tasks})"}}; fi
            _default
            ;;
        exec\\ *)
            if (( CURRENT == at + 1 )); then compadd -- ${{(f)"$({services})"}}; else _default; fi
            ;;
        forget\\ *) _files -/ ;;
    esac
}}
compdef _devinit devinit
"""

FISH = """\
function __devinit_services
    {services}
end
function __devinit_pages
    {pages}
end
function __devinit_profiles
    {profiles}
end
function __devinit_tasks
    {tasks}
end
complete -c devinit -f
complete -c devinit -n __fish_use_subcommand -s C -x -a "(__fish_complete_directories)"
{lines}
complete -c devinit -n "__fish_seen_subcommand_from {taking}" -a "all (__devinit_services)"
complete -c devinit -n "__fish_seen_subcommand_from open" -a "(__devinit_pages)"
complete -c devinit -n "__fish_seen_subcommand_from ports; and not __fish_seen_subcommand_from {actions}" \\
    -a "{actions}"
complete -c devinit -n "__fish_seen_subcommand_from ports; and not __fish_seen_subcommand_from who free find" \\
    -a "(__devinit_services)"
complete -c devinit -n "__fish_seen_subcommand_from completion" -a "bash zsh fish"
complete -c devinit -n "__fish_seen_subcommand_from export" -a "{formats}"
complete -c devinit -n "__fish_seen_subcommand_from export" -s o -r -F
complete -c devinit -n "__fish_seen_subcommand_from exec" -a "(__devinit_services)"
complete -c devinit -n "__fish_seen_subcommand_from run" -F -a "(__devinit_tasks)"
complete -c devinit -n "__fish_seen_subcommand_from forget" -x -a "(__fish_complete_directories)"
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "shell",
        choices=(*SCRIPTS, *OFFERED),
        metavar="SHELL",
        help="bash, zsh or fish; `profiles` and `tasks` print those of the project, which the scripts offer",
    )


def run(arguments: Arguments) -> int:
    """Print the script, or the names that a script asks for."""
    if arguments.shell in OFFERED:
        for name in OFFERED[arguments.shell](root_of(arguments)):
            terminal.data(f"{name}\n")
        return 0
    terminal.data(SCRIPTS[arguments.shell]())
    return 0


def tasks_of(root: Path) -> list[str]:
    """Return the tasks of a project and those that files in its root suggest; service folders take longer."""
    from devinit.sources.suggested import are_possible  # the scripts themselves do not need it

    if not are_possible([str(root)]):
        return tasks_stated(root)
    from devinit.sources.suggested.reading import suggested  # only where there is something to read

    return list(
        dict.fromkeys([*tasks_stated(root), *(each.name for each in suggested(root) if is_word(each.name))])
    )


OFFERED = {"profiles": profiles_stated, "tasks": tasks_of}
"""The lists of names that the scripts ask for, by word."""


def bash() -> str:
    """Return the script for bash."""
    return BASH.format(
        commands=" ".join(COMMANDS),
        values="\n".join(
            f'        {option}) COMPREPLY=($(compgen -W "{values}" -- "$word")); return ;;'
            for option, values in VALUES.items()
        ),
        options="\n".join(
            f'        {name}\\ -*) COMPREPLY=($(compgen -W "{" ".join(options)}" -- "$word")) ;;'
            for name, options in options_of_all().items()
        ),
        taking="|".join(f"{name}\\ *" for name in TAKING_SERVICES),
        services=SERVICES.format(place='"${place[@]}"'),
        pages=PAGES.format(place='"${place[@]}"'),
        profiles=PROFILES.format(place='"${place[@]}"'),
        formats=" ".join(BUILT_IN),
        tasks=TASKS.format(place='"${place[@]}"'),
    )


def zsh() -> str:
    """Return the script for zsh."""
    return ZSH.format(
        described=" ".join(f"'{name}:{summary}'" for name, summary in quoted().items()),
        values="\n".join(
            f"        {option}) compadd {values}; return ;;" for option, values in VALUES.items()
        ),
        options="\n".join(
            f"        {name}\\ -*) compadd -- {' '.join(options)} ;;"
            for name, options in options_of_all().items()
        ),
        taking="|".join(f"{name}\\ *" for name in TAKING_SERVICES),
        services=SERVICES.format(place='"${place[@]}"'),
        pages=PAGES.format(place='"${place[@]}"'),
        profiles=PROFILES.format(place='"${place[@]}"'),
        formats=" ".join(BUILT_IN),
        tasks=TASKS.format(place='"${place[@]}"'),
    )


def fish() -> str:
    """Return the script for fish."""
    lines = [
        f"complete -c devinit -n __fish_use_subcommand -a {name} -d '{summary}'"
        for name, summary in quoted().items()
    ]
    for name, options in options_of_all().items():
        for option in options:
            if option.startswith("--"):
                offered = ASKED.get(option) or VALUES.get(option)
                values = f' -x -a "{offered}"' if offered else ""
                seen = f'"__fish_seen_subcommand_from {name}"'
                lines.append(f"complete -c devinit -n {seen} -l {option.removeprefix('--')}{values}")
    return FISH.format(
        lines="\n".join(lines),
        taking=" ".join(TAKING_SERVICES),
        actions="who free find set reset",
        services=SERVICES.format(place=""),
        pages=PAGES.format(place=""),
        profiles=PROFILES.format(place=""),
        formats=" ".join(BUILT_IN),
        tasks=TASKS.format(place=""),
    )


SCRIPTS = {"bash": bash, "zsh": zsh, "fish": fish}


def options_of_all() -> dict[str, list[str]]:
    """Return the options of each command, from its parser."""
    return {
        name: sorted(
            option
            for action in parser_of(module_of(name), name)._actions  # noqa: SLF001  argparse has no public name for them
            for option in action.option_strings
        )
        for name in COMMANDS
    }


def quoted() -> dict[str, str]:
    """Return the commands with their summaries, safe between single quotes."""
    return {name: summary.replace("'", "’") for name, summary in COMMANDS.items()}  # noqa: RUF001  typographic
