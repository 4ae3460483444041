"""What holds a port: found, named, judged."""
