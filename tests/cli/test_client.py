"""Specifies `devinit client`: a copy of the client that a later version replaces, and a person's work is not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from devinit import __version__
from devinit.clients.files import PACKAGE, names, text_of
from tests.cli.conftest import Shop


class TestTheClient:
    def test_is_printed(self, shop: Shop) -> None:
        assert shop("client", "js").stdout == text_of("devinit.js", __version__)

    def test_is_one_file_of_a_frontend(self, shop: Shop) -> None:
        done = shop("client", "js", "-o", "src/devinit.js")

        assert done.stdout == "wrote src/devinit.js\n"
        assert [each.name for each in (shop.root / "src").iterdir()] == ["devinit.js"]
        assert (shop.root / "src" / "devinit.js").read_text() == text_of("devinit.js", __version__)

    def test_has_its_types_beside_it_by_choice(self, shop: Shop) -> None:
        shop("client", "js", "-o", "src/devinit.js", "--types")

        assert (shop.root / "src" / "devinit.d.ts").read_text() == text_of("devinit.d.ts", __version__)

    def test_is_a_folder_with_all_modules(self, shop: Shop) -> None:
        found = json.loads(shop("client", "js", "-o", "web/devinit/", "--json").stdout)

        assert {Path(each["path"]).name for each in found["files"] if each["changed"]} == {*names()}
        again = json.loads(shop("client", "js", "-o", "web/devinit", "--json").stdout)
        assert not any(each["changed"] for each in again["files"])

    def test_lies_in_a_folder_that_npm_installs(self, shop: Shop) -> None:
        assert shop("client", "js", "--path").stdout == f"{PACKAGE}\n"
        assert json.loads((PACKAGE / "package.json").read_text())["name"] == "@devinit/client"

    def test_replaces_nothing_of_a_person_until_that_is_meant(self, shop: Shop) -> None:
        path = shop.root / "devinit.js"
        path.write_text("export const mine = 1;\n")

        refused = shop("client", "js", "-o", "devinit.js")

        assert refused.returncode == 2
        assert "devinit.js is not the client as devinit wrote it: it is left as it is" in refused.stderr
        assert path.read_text() == "export const mine = 1;\n"
        assert shop("client", "js", "-o", "devinit.js", "--force").returncode == 0
        assert path.read_text() == text_of("devinit.js", __version__)
        assert (shop.root / "devinit.js.old").read_text() == "export const mine = 1;\n"

    def test_is_not_written_and_located_at_once(self, shop: Shop) -> None:
        assert shop("client", "js", "--path", "-o", "x.js").returncode == 2

    def test_is_in_the_wheel(self, tmp_path: Path) -> None:
        root = Path(__file__).parents[2]
        built = subprocess.run(
            ["git", "check-ignore", *(str(PACKAGE / name) for name in names())],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )

        # Hatch takes every file of the package that git does not ignore.
        assert built.stdout == ""
