"""What the supervisor's process does not load before it is needed, and that all of it is there when it is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BOOTED = """
import json, sys
from devinit.supervisor.server import boot
boot.put_off()
import devinit.supervisor.__main__
def tell(*values): print(json.dumps(values))
def is_loaded(name): return bool(getattr(sys.modules.get(name), "__file__", None))
"""


def after_a_boot(program: str) -> Any:
    """Return what a program tells in a process that has booted as the supervisor does. Any: JSON."""
    said = subprocess.run(
        [sys.executable, "-P", "-c", BOOTED + program], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return json.loads(said.stdout)


class TestABoot:
    def test_loads_nothing_that_nobody_uses(self) -> None:
        assert (
            after_a_boot("tell(*[name for name in (*boot.LATER, *boot.WITHHELD) if is_loaded(name)])") == []
        )

    def test_spares_what_stands_behind_it_as_well(self) -> None:
        heavy = {
            "shutil",
            "bz2",
            "ast",
            "dis",
            "opcode",
            "_ssl",
            "argparse",
            "textual",
            "psutil",
            "questionary",
        }

        assert after_a_boot(f"tell(*sorted({heavy!r} & set(sys.modules)))") == []

    def test_connects_to_a_server_without_loading_what_only_tls_needs(self) -> None:
        program = """
import asyncio
async def visit():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await reader.read()
    writer.close()
    server.close()
asyncio.run(visit())
tell(is_loaded("ssl"), "_ssl" in sys.modules)
"""

        assert after_a_boot(program) == [False, False]

    def test_bans_no_module(self) -> None:
        assert after_a_boot("tell(*[name for name, module in sys.modules.items() if module is None])") == []


class TestAModuleThatWasPutOff:
    def test_is_loaded_by_its_first_use(self) -> None:
        program = """
import inspect
before = "ast" in sys.modules
found = str(inspect.signature(lambda first, *, second: None))
tell(before, found, "ast" in sys.modules)
"""

        assert after_a_boot(program) == [False, "(first, *, second)", True]

    def test_gives_single_names_too(self) -> None:
        program = """
from textwrap import shorten
import ipaddress
tell(shorten("one two three", 9), str(ipaddress.ip_address("127.0.0.1")))
"""

        assert after_a_boot(program) == ["one [...]", "127.0.0.1"]

    def test_gives_all_its_names_to_whoever_imports_all(self) -> None:
        program = """
from ssl import *
from textwrap import *
tell(SSLContext.__name__, dedent(" x"))
"""

        assert after_a_boot(program) == ["SSLContext", "x"]

    def test_is_found_by_whoever_looks_whether_it_is_installed(self) -> None:
        program = """
import importlib.util
tell(*[importlib.util.find_spec(name) is not None for name in boot.LATER], is_loaded("ssl"))
"""

        assert after_a_boot(program) == [True] * 7 + [False]

    def test_is_one_and_the_same_for_whoever_replaces_a_part_of_it(self) -> None:
        program = """
import textwrap as early
early.dedent(" ")
import textwrap as late
late.dedent = lambda text: "by late"
by_late = early.dedent("")
early.indent = lambda text: "by early"
tell(by_late, late.indent(""))
"""

        assert after_a_boot(program) == ["by late", "by early"]

    def test_refuses_what_it_does_not_have_as_always(self) -> None:
        program = """
told = []
import ssl
for attempt in ("ssl.NoSuchThing", "exec('from ssl import NoSuchThing')", "exec('import ssl.nothing')"):
    try: eval(attempt)
    except Exception as error: told.append(type(error).__name__)
tell(*told)
"""

        assert after_a_boot(program) == ["AttributeError", "ImportError", "ModuleNotFoundError"]


class TestALibraryThatNeedsTls:
    """Whatever a service's `watch`, a provider or a library of theirs imports finds a Python that is complete."""

    @pytest.mark.parametrize(
        "way",
        [
            "import ssl; context = ssl.create_default_context()",
            "from ssl import create_default_context; context = create_default_context()",
            "import ssl as tls; context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)",
            "import asyncio.sslproto; context = asyncio.sslproto._create_transport_context(False, None)",
            "import http.client; context = http.client.HTTPSConnection('localhost')._context",
            "import urllib.request; context = urllib.request.HTTPSHandler()._context or __import__('ssl').SSLContext()",
        ],
    )
    def test_opens_a_context(self, way: str) -> None:
        assert after_a_boot(f"{way}\ntell(type(context).__name__)") == ["SSLContext"]

    def test_speaks_it_in_the_supervisor_s_own_loop(self) -> None:
        program = """
import asyncio, ssl
async def speak():
    heard = []
    server = await asyncio.start_server(
        lambda reader, writer: asyncio.ensure_future(hear(reader, writer, heard)), "127.0.0.1", 0
    )
    address = server.sockets[0].getsockname()
    try:
        await asyncio.open_connection(*address, ssl=True)
    except (ssl.SSLError, OSError) as error:
        heard.append(type(error).__name__)
    server.close()
    return heard
async def hear(reader, writer, heard):
    heard.append((await reader.read(1)).hex())
    writer.close()
heard = asyncio.run(speak())
tell(heard[0], len(heard), asyncio.base_events.ssl is sys.modules["ssl"])
"""

        # 16: a TLS handshake.
        assert after_a_boot(program) == ["16", 2, True]

    def test_finds_typing_extensions_where_it_is_installed(self) -> None:
        pytest.importorskip("typing_extensions")

        assert after_a_boot("from typing_extensions import TypedDict, override; tell(override(1))") == [1]

    def test_works_in_the_process_of_a_watched_service_as_in_any_other(self) -> None:
        pytest.importorskip("watchfiles")

        assert after_a_boot("import watchfiles, ssl; tell(ssl.SSLContext.__name__)") == ["SSLContext"]

    def test_claims_the_checkout_once(self, tmp_path: Path) -> None:
        program = f"""
import asyncio
from pathlib import Path
from devinit.system import checkout
program, claims, is_settled = devinit.supervisor.__main__, [], checkout._is_settled
checkout._is_settled = lambda *words: (claims.append(words), is_settled(*words))[1]
program.UNWANTED_SECONDS = 0.0
asyncio.run(program.supervise(Path({str(tmp_path)!r}), None))
tell(len(claims))
"""

        assert after_a_boot(program) == [1]
