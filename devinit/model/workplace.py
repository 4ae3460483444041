"""Interactive programs, which are never ended for a port or a stop. Pure.

They hold a service's socket or mark by inheritance: a debug server opens the browser, a script starts tmux, an
error page opens the editor. Ending them would end a day's work.
"""

from __future__ import annotations

from enum import StrEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from devinit.model.process import ProcessFacts


class Workplace(StrEnum):
    """The kind of an interactive program."""

    MULTIPLEXER = "multiplexer"
    """Keeps terminal sessions alive: tmux, screen, zellij."""
    TERMINAL = "terminal"
    """A window with shells in it."""
    BROWSER = "browser"
    """A browser with a person's tabs; one that a test drives is an ordinary tool."""
    EDITOR = "editor"
    """An editor or IDE, including its server on a remote machine."""
    SHELL = "shell"
    """A shell that waits for commands, not one that runs a script."""


SHELLS = frozenset(
    {"bash", "dash", "elvish", "fish", "ksh", "mksh", "nu", "pwsh", "sh", "tcsh", "xonsh", "zsh"}
)
_KERNEL_LETTERS = 15
"""How many characters of a name the kernel keeps."""
# By the name of the executable, or by the kernel's name if that is more specific ("tmux: server").
_MULTIPLEXERS = frozenset(
    "abduco byobu dtach dvtm mosh-server screen shpool tmate tmux wezterm-mux-server zellij".split()  # noqa: SIM905
)
_TERMINALS = frozenset(
    """
    Terminal WarpTerminal alacritty deepin-terminal foot ghostty gnome-console gnome-terminal
    gnome-terminal-server gotty guake iTerm2 kgx kitty konsole lxterminal mate-terminal ptyxis ptyxis-agent
    qterminal rxvt shellinaboxd terminator terminology tilda tilix ttyd urxvt uxterm warp-terminal wezterm
    wezterm-gui xfce4-terminal xterm yakuake
    """.split()  # noqa: SIM905 - a list of words, not of strings
)
_BROWSERS = frozenset(
    """
    Arc Chromium Firefox Safari brave brave-browser chrome chromium chromium-browser epiphany falkon firefox
    firefox-bin firefox-esr floorp google-chrome konqueror librewolf microsoft-edge midori msedge opera
    qutebrowser thorium vivaldi vivaldi-bin waterfox zen-bin
    """.split()  # noqa: SIM905 - a list of words, not of strings
)
EDITORS = frozenset(
    """
    Cursor Emacs Xcode atom clion code code-insiders code-oss code-server code-tunnel codium cursor
    datagrip dataspell eclipse emacs emacs-gtk emacs-lucid emacs-nox emacs-pgtk gedit gnome-text-editor goland
    gvim helix hx idea jetbrains_client kak kate kwrite mousepad nano netbeans nvim nvim-qt
    openvscode-server phpstorm positron pulsar pycharm rider rsession rubymine rustrover subl sublime_text vi vim
    vim.basic vim.gtk3 vim.nox vim.tiny webstorm windsurf xed zed zed-editor
    """.split()  # noqa: SIM905 - a list of words, not of strings
)
_HELPERS = (" Helper", " Web Content")
"""Suffixes of processes of Electron and of browsers on macOS: "Code Helper (Renderer)"."""
_KINDS = {
    **dict.fromkeys(_MULTIPLEXERS, Workplace.MULTIPLEXER),
    **dict.fromkeys(_TERMINALS, Workplace.TERMINAL),
    **dict.fromkeys(_BROWSERS, Workplace.BROWSER),
    **dict.fromkeys(EDITORS, Workplace.EDITOR),
    **dict.fromkeys(("Code", "Code - Insiders"), Workplace.EDITOR),
    **dict.fromkeys(("Google Chrome", "Brave Browser", "Microsoft Edge"), Workplace.BROWSER),
}
_BY_SHORT_NAME = {name[:_KERNEL_LETTERS]: kind for name, kind in _KINDS.items()}

_RUNTIMES = frozenset({"MainThread", "java", "node", "node-MainThread", "nodejs"})
"""Runtimes in which some editors run; newer versions of Node have the name of their first thread."""
_INTERPRETERS = frozenset({"bun", "deno", "perl", "ruby", *_RUNTIMES, *SHELLS})
_DRIVEN = frozenset(
    """
    --enable-automation --headless --marionette --remote-debugging-pipe --test-type -headless -juggler
    -marionette
    """.split()  # noqa: SIM905 - a list of words, not of strings
)
"""Options of a browser that is driven by a program, not by a person."""
_OF_OVERMIND = "overmind-"
_SERVERS = frozenset({"code-server", "openvscode-server"})
_IDE_CLASSES = frozenset({"com.intellij.idea.Main", "org.netbeans.Main", "org.eclipse.equinox.launcher.Main"})
_WITH_VALUE = frozenset({"--init-file", "--rcfile", "--init-command", "-C", "-o", "+o", "-O", "+O"})
"""Options of shells whose next word is a value, not a script."""


def workplace_of(facts: ProcessFacts) -> Workplace | None:
    """Return the kind of interactive program that a process is; None for a server, a script or a tool."""
    words = facts.command
    kind = _kind_of(facts)
    if kind is Workplace.BROWSER and _is_driven(words):
        return None
    if kind is Workplace.MULTIPLEXER and any(word.startswith(_OF_OVERMIND) for word in words):
        return None  # Overmind's own tmux: it ends with Overmind
    return kind or (Workplace.SHELL if is_interactive_shell(facts) else None)


def is_interactive_shell(facts: ProcessFacts) -> bool:
    """Return whether a person types into this shell: it has no script, but a terminal or an interactive option."""
    if not (facts.executable in SHELLS or _bare(facts.name) in SHELLS) or not is_prompt(facts.command):
        return False
    return facts.terminal or _says_that_it_is_interactive(facts.command)


def is_prompt(words: Sequence[str]) -> bool:
    """Return whether a command line is that of a shell that waits for commands, not of one with a script."""
    if not words or _bare(base_name(words[0])) not in SHELLS:
        return False
    rest = iter(words[1:])
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith(("-", "+")) or (not word.startswith("--") and "c" in word):
            return False
    return True


def is_worth_a_look(name: str) -> bool:
    """Return quickly, from only the kernel's name, whether a process may be interactive; shells are ignored."""
    return name in _RUNTIMES or _lookup(name) is not None


def is_part_of_another(words: Sequence[str]) -> bool:
    """Return whether a process is a helper of a browser or an editor, which its main process starts and ends."""
    return any(word.startswith("--type=") or word == "-contentproc" for word in words)


def runs_others(facts: ProcessFacts) -> bool:
    """Return whether a process only runs another command: a shell with a script, npm and the like."""
    # npm sets its own title, so its command line is a single word: "npm run dev".
    names = {base_name(word) for word in " ".join(facts.command[:2]).split()[:2]}
    opens_for_a_person = names & {"xdg-open", "sensible-browser", "x-www-browser", "open"}
    return bool(names & _RUNNERS) and not opens_for_a_person


_RUNNERS = frozenset(
    {"bunx", "env", "npm", "npm-cli.js", "npx", "npx-cli.js", "pnpm", "yarn", "yarn.js", *SHELLS}
)


def base_name(path: str) -> str:
    """Return the last part of a path."""
    return path.rpartition("/")[2]


def _kind_of(facts: ProcessFacts) -> Workplace | None:
    if (found := _KINDS.get(facts.executable) or _KINDS.get(_unversioned(facts.executable))) is not None:
        return found
    words = facts.command
    if (found := _lookup(facts.name)) is not None and not _is_script(facts):
        return found
    if _RUNTIMES.isdisjoint((facts.executable, facts.name)):
        return None
    # Only the command line shows it: the server of VS Code is a node process, and a JetBrains IDE may be java.
    serves = any(word.endswith("server-main.js") for word in words[:3])
    if serves or not _SERVERS.isdisjoint(map(base_name, words[1:2])) or not _IDE_CLASSES.isdisjoint(words):
        return Workplace.EDITOR
    return None


def _lookup(name: str) -> Workplace | None:
    """Return the kind for a kernel's name: "tmux: server", "gnome-terminal-", "Code Helper (Renderer)"."""
    for helper in _HELPERS:
        name = name.partition(helper)[0]
    return (
        _BY_SHORT_NAME.get(name)
        or _BY_SHORT_NAME.get(name.partition(":")[0].lower())
        or _BY_SHORT_NAME.get(_unversioned(name))
    )


def _unversioned(name: str) -> str:
    """Return a name without the version that installing from source puts behind it: "emacs-29.1"."""
    before, dash, version = name.rpartition("-")
    return before if dash and version and version.strip("0123456789.") == "" else name


def _is_script(facts: ProcessFacts) -> bool:
    """Return whether the kernel's name is that of a script, such as `./cursor`, which an interpreter runs."""
    if not (facts.executable in _INTERPRETERS or facts.executable.startswith("python")):
        return False
    return any(base_name(word)[:_KERNEL_LETTERS] == facts.name for word in facts.command[1:3])


def _is_driven(words: Sequence[str]) -> bool:
    return any(word.partition("=")[0] in _DRIVEN for word in words)


def _says_that_it_is_interactive(words: Sequence[str]) -> bool:
    if words[0].startswith("-"):
        return True  # a login shell
    short = [word for word in words[1:] if word.startswith("-") and not word.startswith("--")]
    return any("i" in word or "l" in word for word in short) or bool({"--login", "--interactive"} & {*words})


def _bare(name: str) -> str:
    return name.removeprefix("-")
