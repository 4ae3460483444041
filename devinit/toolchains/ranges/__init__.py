"""How repositories write down which versions they want. Each returns None for what it does not understand."""
