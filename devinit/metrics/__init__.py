"""What devinit knows in numbers, for Prometheus and programs that read its text format."""
