"""Print a completion script: `source <(devinit completion bash)`, or the same for zsh and fish."""

from __future__ import annotations

import sys

from devinit.cli.main import COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from devinit.cli.arguments import Arguments

EXAMPLE = "source <(devinit completion bash)"

# The services come from `status --json`, which answers in the time of a key stroke, and says nothing outside
# of a project.
SERVICES = """devinit status --json 2>/dev/null | tr '{' '\\n' | sed -n 's/^"name": "\\([^"]*\\)".*/\\1/p'"""
TAKING_SERVICES = "start|stop|restart|logs|why"

BASH = """\
_devinit() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" command="${{COMP_WORDS[1]}}"
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        return
    fi
    case "$command" in
        {taking}) COMPREPLY=($(compgen -W "all $({services})" -- "$word")) ;;
        ports) COMPREPLY=($(compgen -W "set reset $({services})" -- "$word")) ;;
        completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")) ;;
    esac
}}
complete -F _devinit devinit
"""

ZSH = """\
#compdef devinit
_devinit() {{
    local -a commands
    commands=({described})
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    case "${{words[2]}}" in
        {taking}) compadd all ${{(f)"$({services})"}} ;;
        ports) compadd set reset ${{(f)"$({services})"}} ;;
        completion) compadd bash zsh fish ;;
    esac
}}
compdef _devinit devinit
"""

FISH = """\
function __devinit_services
    {services}
end
{lines}
complete -c devinit -f -n "__fish_seen_subcommand_from {taking}" -a "all (__devinit_services)"
complete -c devinit -f -n "__fish_seen_subcommand_from ports" -a "set reset (__devinit_services)"
complete -c devinit -f -n "__fish_seen_subcommand_from completion" -a "bash zsh fish"
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def run(arguments: Arguments) -> int:
    """Print the script."""
    match arguments.shell:
        case "bash":
            script = BASH.format(commands=" ".join(COMMANDS), taking=TAKING_SERVICES, services=SERVICES)
        case "zsh":
            described = " ".join(f"'{name}:{summary}'" for name, summary in quoted().items())
            script = ZSH.format(described=described, taking=TAKING_SERVICES, services=SERVICES)
        case _:
            lines = "\n".join(
                f"complete -c devinit -f -n __fish_use_subcommand -a {name} -d '{summary}'"
                for name, summary in quoted().items()
            )
            taking = TAKING_SERVICES.replace("|", " ")
            script = FISH.format(lines=lines, taking=taking, services=SERVICES)
    sys.stdout.write(script)
    return 0


def quoted() -> dict[str, str]:
    """Return the commands with what they do, safe between single quotes."""
    return {name: summary.replace("'", "’") for name, summary in COMMANDS.items()}  # noqa: RUF001  typographic
