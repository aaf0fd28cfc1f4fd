"""Fitting, choosing and applying bridges."""
