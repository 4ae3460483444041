"""The command line: each command parses, asks the supervisor or a file, and prints."""
