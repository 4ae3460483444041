"""The program that holds the terminal of one service: its master, its log, and the access to both.

It runs next to the supervisor and outlives it (docs/adr/0037). Its modules import only a small part of the
standard library, because there is one process for each service with a terminal.
"""
