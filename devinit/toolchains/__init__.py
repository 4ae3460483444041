"""What devinit knows of languages: lock files and installers, where programs lie, which versions are asked for.

One folder for each language that has more than names of files; each has a `language`, and none knows another.
"""
