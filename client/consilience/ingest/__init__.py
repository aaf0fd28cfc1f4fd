"""Embeddings from files and from other stores."""
