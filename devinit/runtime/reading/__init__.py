"""Readers for the variables that the code of an application uses, and their forms; code is parsed, never run."""
