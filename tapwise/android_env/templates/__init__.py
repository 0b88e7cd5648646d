"""Task templates, one module per app; each offers a tuple `TEMPLATES`."""
