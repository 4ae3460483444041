"""The services of a project as one: which waits for which, and what a change of one means to the others."""
