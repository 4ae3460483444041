"""The command line: each command parses its arguments, queries the supervisor or a file, and prints the result."""
