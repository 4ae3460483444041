"""The edge: files, processes, sockets and /proc. The only package that knows the operating system.

Linux is the first citizen; where macOS differs, the branch is here and nowhere else (through psutil,
and untested on a Mac so far). `paths`, `files` and `watch` stay light to import for the fast commands.
"""
