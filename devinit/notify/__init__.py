"""Notifiers, which publish where services answer: one folder each (`notifier.Notifier`).

A new notifier needs its folder and an entry in `notifiers.NOTIFIERS`.
"""
