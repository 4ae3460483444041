"""What the supervisor's process does not load before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys


def in_a_fresh_interpreter(program: str) -> list[str]:
    said = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    result: list[str] = json.loads(said.stdout)
    return result


class TestABoot:
    def test_loads_nothing_that_nobody_uses(self) -> None:
        program = """
import json, sys
from devinit.supervisor import boot
boot.put_off()
import devinit.supervisor.__main__
print(json.dumps([name for name in (*boot.LATER, *boot.UNUSED) if getattr(sys.modules[name], "__file__", None)]))
"""

        assert in_a_fresh_interpreter(program) == []

    def test_spares_what_stands_behind_it_as_well(self) -> None:
        program = """
import json, sys
from devinit.supervisor import boot
boot.put_off()
import devinit.supervisor.__main__
print(json.dumps(sorted({"ast", "dis", "opcode", "_ssl", "argparse", "textual", "psutil", "questionary"} & set(sys.modules))))
"""

        assert in_a_fresh_interpreter(program) == []


class TestAModuleThatWasPutOff:
    def test_is_loaded_by_its_first_use(self) -> None:
        program = """
import json, sys
from devinit.supervisor import boot
boot.put_off()
import inspect
before = "ast" in sys.modules
found = str(inspect.signature(lambda first, *, second: None))
print(json.dumps([str(before), found, str("ast" in sys.modules)]))
"""

        assert in_a_fresh_interpreter(program) == ["False", "(first, *, second)", "True"]

    def test_gives_single_names_too(self) -> None:
        program = """
import json
from devinit.supervisor import boot
boot.put_off()
from textwrap import shorten
import ipaddress
print(json.dumps([shorten("one two three", 9), str(ipaddress.ip_address("127.0.0.1"))]))
"""

        assert in_a_fresh_interpreter(program) == ["one [...]", "127.0.0.1"]
