"""People in, employees out: the core of Usher and its doors."""
