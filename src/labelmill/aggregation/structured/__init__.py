"""Label models for answers that are more than one class; a file is a kind of label, or a method for several."""
