"""Exact neighbours and the fast paths; FAISS (and torch) live here and nowhere else."""
