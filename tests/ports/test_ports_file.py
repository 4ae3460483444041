from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from devinit.errors import ConfigError, StateFileError
from devinit.model.names import PORTS_FILE
from devinit.ports.remembered import ports_file


class TestReading:
    def test_finds_nothing_where_no_file_is(self, root: Path) -> None:
        assert ports_file.read(root) == {}

    def test_returns_the_ports_by_service(self, root: Path) -> None:
        written(root, '{"backend": 8001, "postgres": 5433}')

        assert ports_file.read(root) == {"backend": 8001, "postgres": 5433}

    def test_leaves_keys_alone_that_are_no_service(self, root: Path) -> None:
        written(root, '{"$schema": "ports.json", "note": "do not touch", "backend": 8001}')

        assert ports_file.read(root, ["backend", "frontend"]) == {"backend": 8001}

    @pytest.mark.parametrize("value", ['"8001"', "80.5", "true", "null", "0", "65536", "-1", "[8001]"])
    def test_refuses_what_is_no_port_and_names_the_key(self, value: str, root: Path) -> None:
        written(root, f'{{"backend": {value}}}')

        with pytest.raises(
            ConfigError, match=rf'\.ports\.json: "backend" is {re.escape(value)}, not a port'
        ) as refused:
            ports_file.read(root)
        assert refused.value.hint == (
            'write it as "backend": 8000, or remove the key to get the preferred port'
        )

    @pytest.mark.parametrize("text", ["{", "", "not json", '{"backend": 8001,}', "[" * 100_000])
    def test_refuses_a_broken_file_by_name_and_keeps_it(self, text: str, root: Path) -> None:
        path = written(root, text)

        with pytest.raises(StateFileError, match=r"\.ports\.json is") as refused:
            ports_file.read(root)
        assert "delete it" in str(refused.value.hint)
        assert path.read_text() == text

    def test_refuses_a_number_of_thousands_of_digits_by_name(self, root: Path) -> None:
        path = written(root, f'{{"backend": {"9" * 5000}}}')

        with pytest.raises(
            StateFileError, match=r"\.ports\.json cannot be read: it holds a number"
        ) as refused:
            ports_file.read(root)
        assert "delete it" in str(refused.value.hint)
        assert path.read_text() == f'{{"backend": {"9" * 5000}}}'

    @pytest.mark.parametrize("value", ["1e400", "NaN", "-Infinity", '"\\ud800"', "99999999999999999999"])
    def test_refuses_what_is_no_port_however_odd(self, value: str, root: Path) -> None:
        written(root, f'{{"backend": {value}}}')

        with pytest.raises(ConfigError, match=r'\.ports\.json: "backend" is .*, not a port'):
            ports_file.read(root)

    def test_says_the_line_of_what_is_no_json(self, root: Path) -> None:
        written(root, '{\n  "backend": 8001\n  "frontend": 3000\n}')

        with pytest.raises(StateFileError, match=r"line 3, column 3"):
            ports_file.read(root)

    @pytest.mark.parametrize("text", ["[]", "8001", "null"])
    def test_refuses_json_that_is_no_object(self, text: str, root: Path) -> None:
        written(root, text)

        with pytest.raises(StateFileError, match="not an object"):
            ports_file.read(root)

    def test_refuses_a_file_that_is_no_text(self, root: Path) -> None:
        (root / ".ports.json").write_bytes(b"\xff\xfe\x00")

        with pytest.raises(StateFileError, match=r"\.ports\.json"):
            ports_file.read(root)


class TestWriting:
    def test_creates_the_file(self, root: Path) -> None:
        assert ports_file.write(root, {"backend": 8001, "frontend": 3000})

        assert (root / ".ports.json").read_text() == '{\n  "backend": 8001,\n  "frontend": 3000\n}\n'

    def test_keeps_what_it_does_not_know_and_the_order(self, root: Path) -> None:
        written(root, '{"$schema": "x", "backend": 8000, "mine": {"a": [1, "ü"]}, "frontend": 3000}')

        ports_file.write(root, {"frontend": 3001, "redis": 6379, "backend": 8000})

        assert list(json.loads((root / ".ports.json").read_text()).items()) == [
            ("$schema", "x"),
            ("backend", 8000),
            ("mine", {"a": [1, "ü"]}),
            ("frontend", 3001),
            ("redis", 6379),
        ]

    def test_keeps_half_a_character_as_it_was_escaped(self, root: Path) -> None:
        path = written(root, '{"note \\udc80": "\\ud800", "backend": 8000}')

        ports_file.write(root, {"backend": 8001})

        assert ports_file.read(root, ["backend"]) == {"backend": 8001}
        assert json.loads(path.read_text())["note \udc80"] == "\ud800"

    def test_writes_what_it_can_read_or_refuses_it_by_name(self, root: Path) -> None:
        refused = []
        for depth in range(880, 1010):
            text = f'{{"note": {"[" * depth}{"]" * depth}}}'
            path = written(root, text)

            try:
                ports_file.write(root, {"backend": 8001})
            except StateFileError:
                refused.append(path.read_text() == text)

        assert all(refused)

    def test_does_not_touch_a_file_that_says_it_already(self, root: Path) -> None:
        path = written(root, '{"backend":8001}')

        assert not ports_file.write(root, {"backend": 8001})

        assert path.read_text() == '{"backend":8001}'

    def test_does_not_replace_a_broken_file(self, root: Path) -> None:
        path = written(root, "{broken")

        with pytest.raises(StateFileError):
            ports_file.write(root, {"backend": 8001})
        assert path.read_text() == "{broken"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
    def test_says_which_file_cannot_be_written(self, root: Path) -> None:
        root.chmod(0o500)

        with pytest.raises(StateFileError, match=r"\.ports\.json"):
            ports_file.write(root, {"backend": 8001})
        root.chmod(0o700)


class TestResetting:
    def test_forgets_the_named_services(self, root: Path) -> None:
        written(root, '{"backend": 8001, "frontend": 3001}')

        assert ports_file.reset(root, ["backend", "unknown"]) == {"backend": 8001}
        assert ports_file.read(root) == {"frontend": 3001}

    def test_of_everything_removes_the_file(self, root: Path) -> None:
        written(root, '{"backend": 8001, "frontend": 3001}')

        assert ports_file.reset(root) == {"backend": 8001, "frontend": 3001}
        assert not (root / ".ports.json").exists()

    def test_of_everything_keeps_what_is_no_port(self, root: Path) -> None:
        written(root, '{"$schema": "x", "backend": 8001}')

        ports_file.reset(root)

        assert json.loads((root / ".ports.json").read_text()) == {"$schema": "x"}

    def test_removes_a_value_that_is_no_port(self, root: Path) -> None:
        written(root, '{"backend": "8001"}')

        assert ports_file.reset(root, ["backend"]) == {}
        assert ports_file.read(root) == {}

    def test_of_nothing_changes_nothing(self, root: Path) -> None:
        assert ports_file.reset(root) == {}


def written(root: Path, text: str) -> Path:
    path = root / ".ports.json"
    path.write_text(text)
    return path


class TestALink:
    """A repository can bring `.ports.json -> src/work.json` along."""

    @pytest.mark.parametrize(
        "text", ['{"my": "work"}', '{"version": 1, "name": "x"}', '{"_comment": "mine"}']
    )
    def test_to_a_file_that_holds_something_else_is_refused_and_the_file_kept(
        self, root: Path, text: str
    ) -> None:
        (root / "work.json").write_text(text)
        (root / PORTS_FILE).symlink_to("work.json")

        for change in (
            lambda: ports_file.write(root, {"web": 8000}),
            lambda: ports_file.reset(root),
            lambda: ports_file.refuse_link_to_another_file(root),
        ):
            with pytest.raises(StateFileError) as refused:
                change()

            assert f"{root}/.ports.json is a link to {root}/work.json" in refused.value.message
            assert f"rm {root}/.ports.json" in str(refused.value.hint)
        assert (root / "work.json").read_text() == text
        assert (root / PORTS_FILE).is_symlink()

    @pytest.mark.parametrize("before", [None, "{}", '{"_comment": "ours", "api": 9000}'])
    def test_to_a_file_of_ports_is_written_through(self, root: Path, before: str | None) -> None:
        if before is not None:
            (root / "ports.json").write_text(before)
        (root / PORTS_FILE).symlink_to("ports.json")

        ports_file.write(root, {"web": 8000})

        assert (root / PORTS_FILE).is_symlink()
        assert json.loads((root / "ports.json").read_text()) == {**json.loads(before or "{}"), "web": 8000}
