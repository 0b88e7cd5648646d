"""Semi-online reinforcement learning: rollouts on experts' trajectories, with patches (UI-S1, arXiv 2509.11543)."""
