"""Parse the commands of a repository, so that all sources that list commands turn them into services alike."""
