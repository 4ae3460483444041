"""The parts of `devinit compose`: its command line, the program, and the compose file with other ports."""
