"""What the supervisor reports: events, status, reasons."""
