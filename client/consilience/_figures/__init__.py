"""Pictures of results; each file draws one kind from plain arrays. Needs `consilience[report]`."""
