"""devinit beside other process managers: the same work through each of them, in turns."""
