"""Checks, digests and files: what several packages need and none owns."""
