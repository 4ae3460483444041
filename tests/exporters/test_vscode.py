"""Specifies what editors get: VS Code, development containers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devinit.exporters.exporter import Export, File
from devinit.exporters.marking import marked
from devinit.exporters.vscode.moved_ports import with_ports
from devinit.resolving.resolve import Present
from tests.exporters.conftest import Exported
from tests.resolving.conftest import SHOP


def files(export: Export) -> dict[str, Any]:
    """Return the files as JSON. Any: the editor's format."""
    return {file.path: json.loads(file.text) for file in export.files}


class TestVSCode:
    def test_attaches_to_the_debug_port(self, exported: Exported) -> None:
        attach, chrome = files(exported("vscode"))["launch.json"]["configurations"]

        assert (attach["type"], attach["connect"]["port"]) == ("debugpy", 5678)
        assert (chrome["url"], chrome["webRoot"]) == ("http://localhost:3000", "${workspaceFolder}/frontend")

    def test_fills_nothing_in_that_is_part_of_the_name_of_a_folder(
        self, exported: Exported, root: Path
    ) -> None:
        (root / "frontend").rename(root / "${command:quit}")
        text = SHOP.replace('directory = "frontend"', 'directory = "${command:quit}"')

        _, chrome = files(exported("vscode", text))["launch.json"]["configurations"]

        assert chrome["webRoot"] == "${workspaceFolder}"

    def test_attaches_where_the_debugger_listens_after_a_new_export(self, exported: Exported) -> None:
        present = Present({"backend.debugger": 5680})

        export = exported("vscode", present=present)

        assert files(export)["launch.json"]["configurations"][0]["connect"]["port"] == 5680
        assert any("`devinit export vscode -o .vscode`" in each for each in export.notes)

    def test_says_that_it_follows_a_port_that_moves_later(self, exported: Exported) -> None:
        assert any("it follows debug ports that move" in each for each in exported("vscode").notes)

    def test_has_a_task_for_each_of_the_project_s(self, exported: Exported) -> None:
        tasks = {each["label"]: each for each in files(exported("vscode"))["tasks.json"]["tasks"]}

        assert tasks["devinit: run seed"]["args"] == ["run", "seed"]
        assert tasks["devinit: run seed"]["detail"] == "Fill the database"
        assert tasks["devinit: start"]["command"] == "devinit"


def launch_file(export: Export) -> str:
    """Return launch.json as it is written."""
    [file] = [each for each in export.files if each.path == "launch.json"]
    return marked(file, "vscode", "devinit.toml")


class TestALaunchFileWhosePortHasMoved:
    def test_has_the_other_port_and_is_an_export_as_before(self, exported: Exported) -> None:
        before = launch_file(exported("vscode"))
        after = launch_file(exported("vscode", present=Present({"backend.debugger": 5680})))

        changed = with_ports(before, {"backend": [5680]})

        assert changed == after
        assert with_ports(after, {"backend": [5680]}) is None

    def test_is_left_alone_once_a_person_has_edited_it_or_it_is_no_export(self, exported: Exported) -> None:
        there = launch_file(exported("vscode"))

        assert with_ports(there.replace("5678", "5679"), {"backend": [5680]}) is None
        assert with_ports(there.partition("\n")[2], {"backend": [5680]}) is None
        assert with_ports("not JSON", {"backend": [5680]}) is None

    @pytest.mark.parametrize(
        "text", ["[" * 100_000, "{", "[]", "{}", '{"configurations": [1]}', '{"configurations": 1}']
    )
    def test_is_left_alone_where_it_is_another_text_with_its_digest(self, text: str) -> None:
        there = marked(File(path="launch.json", text=text, comment=("// ", "")), "vscode", "devinit.toml")

        assert with_ports(there, {"backend": [5680]}) is None

    def test_keeps_its_ports_where_the_service_has_more_of_them_by_now(self, exported: Exported) -> None:
        there = launch_file(exported("vscode"))

        assert with_ports(there, {"backend": [5680, 5681]}) is None
        assert with_ports(there, {"frontend": [5680]}) is None

    def test_of_node_has_it_too(self, exported: Exported) -> None:
        text = SHOP.replace(
            'directory = "frontend"', 'directory = "frontend"\nextra_ports = { inspect = 9229 }'
        )
        before = launch_file(exported("vscode", text))

        changed = with_ports(before, {"frontend": [9230]})

        assert changed is not None
        assert '"port": 9230' in changed


class TestADevelopmentContainer:
    def test_forwards_the_preferred_ports(self, exported: Exported) -> None:
        [container] = files(exported("devcontainer")).values()

        assert container["forwardPorts"] == [5432, 8000, 5678, 3000]
        assert container["portsAttributes"]["3000"]["onAutoForward"] == "openBrowser"
        assert container["postStartCommand"] == "devinit start -d --setup"
