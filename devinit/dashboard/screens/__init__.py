"""What fills the whole terminal, one thing at a time."""
