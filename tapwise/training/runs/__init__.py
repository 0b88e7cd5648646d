"""What all kinds of runs share, and the kinds that learn from experts' trajectories."""
