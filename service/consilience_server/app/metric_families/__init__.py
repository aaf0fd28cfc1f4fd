"""What the use cases know of each metric: one file a family, `registry.py` lists them."""
