"""Query strategies: which items are worth a human; one file each."""
