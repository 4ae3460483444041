"""Specifies `devinit.toolchains.ranges`: which versions are meant by what repositories write."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from devinit.toolchains.ranges import npm, pins, python
from devinit.toolchains.versions import Version, shown, version_of

NODES = ["16.20.2", "18.0.0", "18.18.0", "18.20.4", "20.0.0", "20.8.1", "20.9.0", "20.20.2", "21.7.3", "22.5.0",
         "22.12.0", "23.0.0", "24.1.0", "26.0.0"]  # fmt: skip
OF_NPM = {
    ">=18 <23": ["18.0.0", "18.18.0", "18.20.4", "20.0.0", "20.8.1", "20.9.0", "20.20.2", "21.7.3", "22.5.0", "22.12.0"],
    "^20.9.0": ["20.9.0", "20.20.2"],
    "20.x": ["20.0.0", "20.8.1", "20.9.0", "20.20.2"],
    "20": ["20.0.0", "20.8.1", "20.9.0", "20.20.2"],
    "v20.*": ["20.0.0", "20.8.1", "20.9.0", "20.20.2"],
    "~20.8": ["20.8.1"],
    "^18 || >=22.12": ["18.0.0", "18.18.0", "18.20.4", "22.12.0", "23.0.0", "24.1.0", "26.0.0"],
    "^20.19.0 || ^22.12.0 || >=24.0.0": ["20.20.2", "22.12.0", "24.1.0", "26.0.0"],
    "18 - 20": ["18.0.0", "18.18.0", "18.20.4", "20.0.0", "20.8.1", "20.9.0", "20.20.2"],
    "18.18.0 - 20.8": ["18.18.0", "18.20.4", "20.0.0", "20.8.1"],
    ">20": ["21.7.3", "22.5.0", "22.12.0", "23.0.0", "24.1.0", "26.0.0"],
    "<=20": ["16.20.2", "18.0.0", "18.18.0", "18.20.4", "20.0.0", "20.8.1", "20.9.0", "20.20.2"],
    "<18": ["16.20.2"],
    ">= 20.9.0 < 21": ["20.9.0", "20.20.2"],
    ">=18, <20": ["18.0.0", "18.18.0", "18.20.4"],
    "=20.9.0": ["20.9.0"],
    "*": NODES,
    "": NODES,
    "x": NODES,
    ">=16.0.0 <17 || 18.x || 20.0.0": ["16.20.2", "18.0.0", "18.18.0", "18.20.4", "20.0.0"],
}  # fmt: skip


def version(text: str) -> Version:
    found = version_of(text)
    assert found is not None
    return found


class TestARangeOfNpm:
    @pytest.mark.parametrize(("wanted", "allowed"), OF_NPM.items())
    def test_allows_what_it_says(self, wanted: str, allowed: list[str]) -> None:
        assert [each for each in NODES if npm.allows(wanted, version(each))] == allowed

    def test_allows_what_npm_itself_allows(self) -> None:
        """The table above and odd forms, asked of the library that npm uses."""
        program = shutil.which("npm")
        library = Path(program).resolve().parents[1] / "node_modules/semver" if program else None
        if library is None or not library.is_dir():
            pytest.skip("there is no npm with its semver on this machine")
        wanted = [
            *OF_NPM, "^0.2.3", "^0.0.3", "^0.0", "^0", "~1", "~>1.2", "1.2.x - 2", ">1.2", "<=1.2", ">=x", "^x",
            "  >=1.2.3   <2  ", "^1.2.3-beta.1", "0.x", "> 1", "1 || 2 || 3",
        ]  # fmt: skip
        asked = [
            *NODES,
            "0.0.3",
            "0.0.4",
            "0.2.3",
            "0.3.0",
            "1.0.0",
            "1.2.2",
            "1.2.3",
            "1.3.0",
            "2.0.0",
            "3.0.0",
        ]
        code = (
            "const s = require(process.argv[1]); const [r, v] = JSON.parse(process.argv[2]);"
            "console.log(JSON.stringify(r.map(a => v.map(b => s.satisfies(b, a)))))"
        )
        said = json.loads(
            subprocess.run(
                ["node", "-e", code, str(library), json.dumps([wanted, asked])],
                capture_output=True,
                check=True,
                text=True,
            ).stdout
        )

        for text, answers in zip(wanted, said, strict=True):
            if "," not in text:  # npm refuses the comma, and people write it
                ours = [npm.allows(text, version(each)) for each in asked]
                assert ours == answers, text

    @pytest.mark.parametrize(
        "wanted", ["latest", "lts/*", ">=", "20..1", "workspace:*", "20 beta", "9" * 300]
    )
    def test_that_is_none_says_nothing(self, wanted: str) -> None:
        assert npm.allows(wanted, (20, 9, 0)) is None

    @pytest.mark.parametrize(
        ("wanted", "begin"),
        [
            (">=20.9.0", (20, 9, 0)),
            ("^22 || ^18.18", (18, 18, 0)),
            (">=18 <23", (18, 0, 0)),
            ("<20", None),
            ("*", None),
        ],
    )
    def test_has_a_lowest_version(self, wanted: str, begin: Version | None) -> None:
        assert npm.lowest(wanted) == begin

    def test_is_left_open_where_the_unknown_number_decides(self) -> None:
        assert npm.allows(">=20.9.1", (20, 9)) is None
        assert npm.allows(">=20.9.0", (20, 9)) is True
        assert npm.allows(">=20.9.0", (20, 8)) is False

    @given(st.text(max_size=60), st.lists(st.integers(0, 40), min_size=1, max_size=3))
    def test_never_raises(self, wanted: str, numbers: list[int]) -> None:
        npm.allows(wanted, tuple(numbers))
        npm.lowest(wanted)


CLAUSES = st.builds(
    lambda operator, numbers, star: (
        f"{operator}{'.'.join(map(str, numbers))}" + (".*" if star and operator in {"==", "!="} else "")
    ),
    st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="]),
    st.lists(st.integers(0, 14), min_size=1, max_size=3),
    st.booleans(),
)


class TestASpecifierOfPython:
    @given(st.lists(CLAUSES, min_size=1, max_size=3), st.tuples(*[st.integers(0, 14)] * 3))
    def test_allows_what_packaging_allows(self, clauses: list[str], numbers: Version) -> None:
        text = ",".join(clauses)
        try:
            said = SpecifierSet(text).contains(shown(numbers))
        except InvalidSpecifier:
            return

        assert python.allows(text, numbers) == said

    @pytest.mark.parametrize(
        ("wanted", "allowed"),
        [
            (">=3.12", [False, True, True]),
            (">=3.11, <3.13", [True, True, False]),
            ("^3.12", [False, True, True]),
            ("~3.12", [False, True, False]),
            ("==3.12.*", [False, True, False]),
            ("3.12.*", [False, True, False]),
            (">=3.13 || 3.11.*", [True, False, True]),
            ("*", [True, True, True]),
            ("~=3.11", [True, True, True]),
        ],
    )
    def test_may_be_one_of_poetry(self, wanted: str, allowed: list[bool]) -> None:
        assert [python.allows(wanted, each) for each in ((3, 11, 7), (3, 12, 1), (3, 13, 0))] == allowed

    def test_is_left_open_where_the_patch_decides(self) -> None:
        assert python.allows(">=3.11.4", (3, 11)) is None
        assert python.allows(">=3.12", (3, 11)) is False

    @pytest.mark.parametrize("wanted", ["", "three", ">=3,,<4", "~=3", "python>=3", ">=3.11;x"])
    def test_that_is_none_says_nothing(self, wanted: str) -> None:
        assert python.allows(wanted, (3, 11, 7)) is None

    @given(st.text(max_size=60))
    def test_never_raises(self, wanted: str) -> None:
        python.allows(wanted, (3, 11, 7))


class TestAPin:
    @pytest.mark.parametrize(
        ("wanted", "there", "is_met"),
        [
            ("20", (20, 1, 0), True),
            ("v20.11.0", (20, 20, 2), True),
            ("20.11.0", (20, 9, 0), False),
            ("22", (20, 20, 2), False),
            ("lts/*", (20, 20, 2), True),
            ("lts/*", (21, 0, 0), False),
            ("lts/*", (27, 0, 0), True),
            ("lts/iron", (20, 1, 0), True),
            ("lts/jod", (20, 1, 0), False),
            ("lts/new-one", (20, 1, 0), None),
            ("node", (20, 1, 0), None),
            ("system", (20, 1, 0), None),
            (">=20", (18, 1, 0), False),
        ],
    )
    def test_of_node_is_met_by_newer_releases_of_its_major_version(
        self, wanted: str, there: Version, is_met: bool | None
    ) -> None:
        assert pins.node_allows(wanted, there) is is_met

    @pytest.mark.parametrize(
        ("wanted", "there", "is_met"),
        [
            ("3.12", (3, 12, 9), True),
            ("3.12.4", (3, 12, 1), True),
            ("cpython-3.12", (3, 12), True),
            ("3.12", (3, 11, 7), False),
            ("3", (3, 11, 7), True),
            ("pypy3.10", (3, 10, 0), None),
            ("my-environment", (3, 10, 0), None),
            (">=3.12", (3, 11, 7), False),
        ],
    )
    def test_of_python_is_met_by_any_patch_release(
        self, wanted: str, there: Version, is_met: bool | None
    ) -> None:
        assert pins.python_allows(wanted, there) is is_met

    def test_of_go_is_met_by_what_is_newer(self) -> None:
        assert pins.at_least("1.22", (1, 26, 8)) is True
        assert pins.at_least("1.27.1", (1, 26, 8)) is False

    def test_of_a_package_manager_is_met_by_its_major_version(self) -> None:
        assert pins.same_major("9.15.0+sha512.abc", (9, 1, 0)) is True
        assert pins.same_major("9.15.0", (10, 0, 0)) is False
