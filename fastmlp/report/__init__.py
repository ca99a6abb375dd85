"""A run as a page to read in a browser."""
