"""One vendor a file, each behind a port of the use cases."""
