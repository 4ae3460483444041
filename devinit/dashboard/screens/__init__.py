"""The screens, each of which fills the whole terminal, and dialogues."""
