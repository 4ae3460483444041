"""The script that holds a terminal: `python -I -S begin.py SERVICE`, started only by `system.terminal_holder`.

The service's name is for people who read a list of processes; everything else comes on standard input.
"""

import os
import sys

if __name__ == "__main__":
    # Appended last, so that no file of the installation can shadow the standard library.
    sys.path.append(os.path.abspath(f"{__file__}/../../../.."))
    from devinit.system.holder.holding import main

    main()
