"""Source text of exported modules: what stands here runs where fastmlp is not installed."""
