"""The apps of the virtual phone, one file each: a state dataclass plus pages."""
