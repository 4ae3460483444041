"""`python -m devinit` is `devinit`."""

from __future__ import annotations

import sys

from devinit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
