"""Consilience server."""
