"""Specifies what editors get: VS Code, development containers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from devinit.exporters.exporter import Export
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

    def test_has_a_task_for_each_of_the_project_s(self, exported: Exported) -> None:
        tasks = {each["label"]: each for each in files(exported("vscode"))["tasks.json"]["tasks"]}

        assert tasks["devinit: run seed"]["args"] == ["run", "seed"]
        assert tasks["devinit: run seed"]["detail"] == "Fill the database"
        assert tasks["devinit: start"]["command"] == "devinit"


class TestADevelopmentContainer:
    def test_forwards_the_preferred_ports(self, exported: Exported) -> None:
        [container] = files(exported("devcontainer")).values()

        assert container["forwardPorts"] == [5432, 8000, 5678, 3000]
        assert container["portsAttributes"]["3000"]["onAutoForward"] == "openBrowser"
        assert container["postStartCommand"] == "devinit start -d --setup"
