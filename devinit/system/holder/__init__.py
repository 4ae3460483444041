"""The program that holds the terminal of one service: its master, its log, and the way to both.

It runs beside the supervisor and outlives it (docs/adr/0037). Its modules import nothing but the standard library,
and little of it: there is one process for each service with a terminal.
"""
