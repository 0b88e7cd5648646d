"""Stands in for AndroidWorld in tests: the same names and calls, three tasks, and nothing that has to be downloaded."""
