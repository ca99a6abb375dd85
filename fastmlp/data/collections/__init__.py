"""Collections that are loaded by name: downloaded ones, and synthetic digits."""
