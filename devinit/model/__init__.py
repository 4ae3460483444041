"""The vocabulary: frozen values that every layer shares, without any I/O.

Values are msgspec structs, not dataclasses: forty of them take 0.6 ms to define instead of 23 ms,
which the supervisor's start would pay each time (docs/adr/0006).
"""
