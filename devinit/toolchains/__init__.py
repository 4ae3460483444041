"""Languages and their tools: lock files, installers, installed programs, and required versions.

Each language with more than file names has a folder with a module `language`. No language imports another one.
"""
