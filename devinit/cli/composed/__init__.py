"""What `devinit compose` is made of: the words of compose, its program, its file on our ports."""
