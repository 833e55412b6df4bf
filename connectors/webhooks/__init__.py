"""Programs elsewhere that are told what administrators are told."""
