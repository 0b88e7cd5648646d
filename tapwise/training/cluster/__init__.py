"""Rollouts on the nodes of a Ray cluster, behind the same `collect` as those on one machine."""
