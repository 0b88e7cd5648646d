"""The value environment model: P(an action is good) in a state, and reinforcement learning against it (VEM)."""
