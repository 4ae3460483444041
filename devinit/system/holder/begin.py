"""What Python runs to hold a terminal: `python -I -S begin.py SERVICE`, by `system.terminal_holder` alone.

The name of the service is for people who read a list of processes; all else comes on standard input.
"""

import os
import sys

if __name__ == "__main__":
    # Behind everything else: nothing of the installation may stand in for the standard library.
    sys.path.append(os.path.abspath(f"{__file__}/../../../.."))
    from devinit.system.holder.holding import main

    main()
