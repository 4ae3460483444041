"""The services of a project as one: who waits for whom, and what a change of one means to the others."""
