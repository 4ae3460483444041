"""The vocabulary: frozen values that all layers share, without any I/O.

Values are msgspec structs, not dataclasses: defining forty of them takes 0.6 ms instead of 23 ms, which each start
of the supervisor would pay (docs/adr/0006).
"""
