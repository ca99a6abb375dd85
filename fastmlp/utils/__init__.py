"""Checks, digests and files: what several rooms need and none owns."""
