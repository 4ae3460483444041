"""The services of a project as a whole: the order of their starts, and how a change of one affects the others."""
