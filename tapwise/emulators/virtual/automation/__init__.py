"""Servers that test tools put on a phone: they see the accessibility tree and act on it over HTTP."""
