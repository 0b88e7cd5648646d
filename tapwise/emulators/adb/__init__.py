"""The Android Debug Bridge: the codec that both ends share, and the host's client."""
