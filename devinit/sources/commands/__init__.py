"""What a repository's commands do: every source that lists commands makes services of them in the same way."""
