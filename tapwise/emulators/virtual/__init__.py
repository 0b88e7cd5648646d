"""The virtual phone: an Android phone in a Python process, reached through the ADB protocol."""
