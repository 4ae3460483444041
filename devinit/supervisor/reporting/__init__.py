"""The reports of the supervisor: events, status, reasons."""
