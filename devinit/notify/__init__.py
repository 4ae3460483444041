"""What passes on where services answer: one folder each (`notifier.Notifier`).

Another notifier is added by its folder and a line in `notifiers.NOTIFIERS`.
"""
