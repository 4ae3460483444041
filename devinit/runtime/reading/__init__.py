"""Which variables the code of an application reads, and in which form. It is parsed, and never run."""
