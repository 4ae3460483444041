"""The arguments of a command, and how they are parsed.

argparse takes 8 ms to load, as much as the interpreter itself. A command line with only known switches, such as
`status --json`, and names of services, such as `start backend -d`, is therefore parsed without it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from devinit.cli.parser import Parser


class Arguments:
    """The values of a command's options, by their names."""

    directory: str | None = None
    json: bool = False
    json_summary: bool = False
    """Only for `start` and `restart`."""
    command: list[str] | None = None
    """Only for `run` and `exec`."""
    is_after_dashes: bool = False
    """Whether `--` precedes the command: then the command is never a name that devinit gives a meaning to."""

    if TYPE_CHECKING:
        # Each command adds options of its own, which only its parser knows.
        def __getattr__(self, name: str) -> Any: ...


def module_of(command: str) -> ModuleType:
    """Return the module of a command."""
    # The function behind the `import` statement; importlib would have to be loaded first, with `warnings`.
    module: ModuleType = __import__(f"devinit.cli.{command.replace('-', '_')}", fromlist=["run"])
    return module


def read(module: ModuleType, name: str, words: list[str], directory: str | None) -> Arguments:
    """Return the parsed arguments of a command. Raise UsageError for words that it does not accept."""
    arguments = Arguments()
    arguments.directory = directory
    if is_plain(module, words):
        return read_plain(module, words, arguments)
    if hasattr(module, "split"):
        # The rest is the command line of another program, and is passed on unchanged.
        count = len(words)
        words, arguments.command = module.split(words)
        arguments.is_after_dashes = len(words) + len(arguments.command or ()) < count
    return parser_of(module, name).read(words, arguments)


def is_plain(module: ModuleType, words: list[str]) -> bool:
    """Whether the words are only switches of a command and, if it accepts them, names of services."""
    switches = getattr(module, "SWITCHES", None)
    names = [word for word in words if switches is None or word not in switches]
    return switches is not None and (takes_names(module, names) if names else not hasattr(module, "NAME"))


def takes_names(module: ModuleType, names: list[str]) -> bool:
    """Whether a command reads all these words as names of services, or as the one name that it requires."""
    takes = hasattr(module, "NAMES") or (hasattr(module, "NAME") and len(names) == 1)
    return takes and not any(name.startswith("-") for name in names)


def read_plain(module: ModuleType, words: list[str], arguments: Arguments) -> Arguments:
    """Set switches and names without a parser; every other option gets its default."""
    for attribute, default in getattr(module, "DEFAULTS", {}).items():
        setattr(arguments, attribute, default)
    for attribute in module.SWITCHES.values():
        setattr(arguments, attribute, False)
    for word in words:
        if word in module.SWITCHES:
            setattr(arguments, module.SWITCHES[word], True)
    names = [word for word in words if word not in module.SWITCHES]
    if hasattr(module, "NAMES"):
        setattr(arguments, module.NAMES, names)
    if hasattr(module, "NAME"):
        setattr(arguments, module.NAME, names[0])
    return arguments


def parser_of(module: ModuleType, name: str) -> Parser:
    """Return the parser of a command."""
    from argparse import RawDescriptionHelpFormatter

    from devinit.cli.parser import Parser

    parser = Parser(
        prog=f"devinit {name}",
        description=module.__doc__,
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-C", dest="directory", metavar="DIR", help="work on the project in DIR")
    parser.stray = getattr(module, "about_stray", None)
    module.configure(parser)
    return parser
