"""Who votes: labeling functions, keyword lists, patterns, dictionaries, thresholds, models."""
