"""Pure definitions: metrics, statistics, closed-form bridges, validation, errors. NumPy and SciPy only."""
