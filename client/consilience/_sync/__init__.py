"""The synchronous client, generated from the asynchronous one by client/unasync.py."""
