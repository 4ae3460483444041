from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devinit.errors import StateFileError
from devinit.ports.remembered import by_hand
from devinit.system.paths import state_directory

NOTE = "import sys; from devinit.ports.remembered.by_hand import note; note(sys.argv[1], sys.argv[2], int(sys.argv[3]))"


class TestAPortThatWasChosenByHand:
    def test_is_one_for_as_long_as_the_ports_file_names_it(self, root: Path) -> None:
        by_hand.note(root, "backend", 8010)

        assert by_hand.chosen(root, {"backend": 8010, "web": 3000}) == {"backend": 8010}
        assert by_hand.chosen(root, {"backend": 8001}) == {}
        assert by_hand.chosen(root, {}) == {}

    def test_is_that_of_one_checkout_alone(self, root: Path, tmp_path: Path) -> None:
        by_hand.note(root, "backend", 8010)

        assert by_hand.chosen(tmp_path, {"backend": 8010}) == {}

    def test_is_forgotten_with_its_checkout(self, root: Path) -> None:
        by_hand.note(root, "backend", 8010)

        assert by_hand.forget(root)
        assert not by_hand.forget(root)
        assert by_hand.chosen(root, {"backend": 8010}) == {}

    def test_is_not_lost_to_another_that_is_chosen_at_the_same_time(self, root: Path) -> None:
        ports = {f"web{number}": 8000 + number for number in range(6)}
        writers = [
            subprocess.Popen([sys.executable, "-c", NOTE, str(root), name, str(port)])
            for name, port in ports.items()
        ]

        assert [writer.wait() for writer in writers] == [0] * len(writers)
        assert by_hand.chosen(root, ports) == ports

    @pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, '{"backend": ' + "9" * 5000 + "}", "\0"])
    def test_is_none_when_its_file_cannot_be_read(self, root: Path, text: str) -> None:
        by_hand.note(root, "backend", 8010)
        [path] = (state_directory() / "chosen-ports").glob("*.json")
        path.write_text(text)

        assert by_hand.chosen(root, {"backend": 8010}) == {}

    def test_cannot_be_noted_where_something_else_lies(self, root: Path) -> None:
        (state_directory() / "chosen-ports").write_text("mine")

        with pytest.raises(StateFileError, match="chosen-ports cannot be used"):
            by_hand.note(root, "backend", 8010)
        assert by_hand.chosen(root, {"backend": 8010}) == {}
        assert not by_hand.forget(root)
