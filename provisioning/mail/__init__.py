"""Letters: facts in, message out; sends nothing."""
