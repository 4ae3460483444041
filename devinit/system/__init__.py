"""The operating system: files, processes, sockets and /proc. No other package knows about it.

Linux comes first. Where macOS differs, the branch is in this package and nowhere else (through psutil, and
untested on a Mac so far). `paths`, `files` and `watch` import little, for the fast commands.
"""
