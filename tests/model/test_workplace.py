"""Specifies which programs a person works in, by what the kernel says of a process."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from devinit.model.process import ProcessFacts, ProcessIdentity
from devinit.model.workplace import Workplace, is_prompt, runs_others, workplace_of

MULTIPLEXER, TERMINAL, BROWSER = Workplace.MULTIPLEXER, Workplace.TERMINAL, Workplace.BROWSER
EDITOR, SHELL = Workplace.EDITOR, Workplace.SHELL
IDEA = "-Didea.paths.selector=IntelliJIdea2026.1 com.intellij.idea.Main"


def process(name: str, executable: str, command: str, *, terminal: bool = False) -> ProcessFacts:
    return ProcessFacts(
        identity=ProcessIdentity(4242, 1, "boot"),
        parent_pid=1,
        name=name,
        command=tuple(command.split()),
        user="me",
        uid=1000,
        directory="/",
        age_seconds=1.0,
        executable=executable,
        terminal=terminal,
    )


class TestAWorkplace:
    @pytest.mark.parametrize(
        ("name", "executable", "command", "kind"),
        [
            ("tmux: server", "tmux", "tmux new-session -d", MULTIPLEXER),
            ("tmux: client", "tmux", "tmux attach", MULTIPLEXER),
            ("screen", "screen", "SCREEN -dmS work", MULTIPLEXER),
            ("zellij", "zellij", "/usr/bin/zellij --server /run/user/1000/zellij/0.43.1/work", MULTIPLEXER),
            ("dtach", "dtach", "dtach -n /tmp/socket bash", MULTIPLEXER),
            ("gnome-terminal-", "gnome-terminal-server", "/usr/libexec/gnome-terminal-server", TERMINAL),
            ("konsole", "konsole", "konsole", TERMINAL),
            ("kitty", "kitty", "kitty", TERMINAL),
            ("ttyd", "ttyd", "ttyd -p 8000 bash", TERMINAL),
            ("screen", "screen-4.9.1", "SCREEN -S work", MULTIPLEXER),
            ("emacs-29.1", "emacs-29.1", "emacs --daemon", EDITOR),
            ("xterm", "xterm", "xterm -e bash", TERMINAL),
            ("chromium", "chromium", "/usr/lib/chromium/chromium http://localhost:3000", BROWSER),
            ("chrome", "chrome", "/opt/google/chrome/chrome --type=renderer", BROWSER),
            ("chrome", "chrome", "/opt/google/chrome/chrome --remote-debugging-port=9222", BROWSER),
            ("msedge", "msedge", "/opt/microsoft/msedge/msedge", BROWSER),
            ("librewolf", "librewolf", "/usr/share/librewolf/librewolf", BROWSER),
            ("firefox-esr", "firefox-esr", "/usr/lib/firefox-esr/firefox-esr", BROWSER),
            ("Web Content", "firefox", "/usr/lib/firefox/firefox -contentproc -childID 3", BROWSER),
            ("code", "code", "/usr/share/code/code --unity-launch", EDITOR),
            ("code", "code", "/usr/share/code/code --type=zygote", EDITOR),
            ("Code Helper (Re", "", "/Applications/Code.app/Contents/MacOS/Code", EDITOR),
            ("cursor", "cursor", "/opt/cursor/cursor", EDITOR),
            ("node", "node", "/home/me/.vscode-server/bin/1/node out/server-main.js --port 0", EDITOR),
            ("MainThread", "node", "/home/me/.vscode-server/node server-main.js", EDITOR),
            ("node", "node", "/usr/lib/code-server/lib/node /usr/lib/code-server", EDITOR),
            ("java", "java", f"/opt/idea/jbr/bin/java -Xmx2g {IDEA}", EDITOR),
            ("pycharm", "pycharm", "/opt/pycharm/bin/pycharm", EDITOR),
            ("nvim", "nvim", "nvim app.py", EDITOR),
            ("vim.basic", "vim.basic", "vim app.py", EDITOR),
            ("emacs", "emacs-gtk", "emacs --daemon", EDITOR),
            ("renamed", "tmux", "anything", MULTIPLEXER),
        ],
    )
    def test_is_known_by_the_name_of_its_executable(
        self, name: str, executable: str, command: str, kind: Workplace
    ) -> None:
        assert workplace_of(process(name, executable, command)) is kind

    @pytest.mark.parametrize(
        ("name", "executable", "command"),
        [
            ("node", "node", "node server.js"),
            ("code-container", "code-container", "./code-container"),
            ("node", "node", "node /srv/tmux/server.js --name tmux"),
            ("python3", "python3.11", "python3 -m http.server 8000"),
            ("java", "java", "java -jar target/shop.jar"),
            ("electron", "electron", "electron ."),
            ("chrome", "chrome", "/opt/google/chrome/chrome --headless=new --remote-debugging-port=0"),
            ("chromium", "chromium", "chromium --enable-automation --remote-debugging-pipe"),
            ("firefox", "firefox", "firefox -marionette -foreground"),
            ("tmux: server", "tmux", "tmux -C -L overmind-shop-Xy1 new -s shop"),
            ("cursor", "python3.11", "/usr/bin/python3 ./cursor"),
            ("idea", "bash", "/bin/bash ./bin/idea"),
            ("tmuxinator", "ruby3.1", "/usr/bin/ruby /usr/bin/tmuxinator start"),
        ],
    )
    def test_is_no_server_script_or_tool(self, name: str, executable: str, command: str) -> None:
        assert workplace_of(process(name, executable, command)) is None


class TestAShell:
    @pytest.mark.parametrize(
        "command",
        [
            "bash",
            "-bash",
            "/bin/zsh -l",
            "fish -C status",
            "bash --init-file /opt/code/shell.sh",
            "bash -o vi",
        ],
    )
    def test_that_waits_for_commands_in_a_terminal_is_a_workplace(self, command: str) -> None:
        name = command.split(maxsplit=1)[0].lstrip("-").rpartition("/")[2]

        assert is_prompt(command.split())
        assert workplace_of(process(name, name, command, terminal=True)) is SHELL

    @pytest.mark.parametrize("command", ["bash -i", "-zsh", "bash --login"])
    def test_that_was_told_to_be_interactive_needs_no_terminal(self, command: str) -> None:
        name = command.split(maxsplit=1)[0].lstrip("-")

        assert workplace_of(process(name, name, command)) is SHELL

    @pytest.mark.parametrize(
        "command",
        ["sh -c vite", "bash dev.sh", "/bin/bash -lc vite", "zsh -i -c vite", "bash -euo pipefail dev.sh"],
    )
    def test_that_runs_a_script_is_none_even_in_a_terminal(self, command: str) -> None:
        name = command.split(maxsplit=1)[0].rpartition("/")[2]

        assert workplace_of(process(name, name, command, terminal=True)) is None

    def test_that_reads_a_script_from_a_pipe_is_none(self) -> None:
        assert workplace_of(process("bash", "bash", "bash")) is None


class TestAProcessThatOnlyRunsAnother:
    @pytest.mark.parametrize(
        ("name", "command"),
        [("npm run ide", "npm run ide"), ("sh", "sh -c code-server"), ("node", "node /usr/bin/npm run ide")],
    )
    def test_is_a_shell_with_a_command_or_npm(self, name: str, command: str) -> None:
        assert runs_others(process(name, "node", command))

    def test_may_have_set_its_title_to_one_word(self) -> None:
        npm = process("npm run ide", "node", "")

        assert runs_others(replace(npm, command=("npm run ide",)))

    @pytest.mark.parametrize("command", ["vite", "sh /usr/bin/xdg-open http://localhost:3000"])
    def test_is_no_server_and_nothing_that_opens_a_page_for_a_person(self, command: str) -> None:
        assert not runs_others(process("sh", "dash", command))
