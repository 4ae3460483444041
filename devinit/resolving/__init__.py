"""What a project resolves to, with or without a supervisor: its endpoints and its environment, on given ports."""
