"""Embeddings from files."""
