"""Vision-language policies that run in this process. Only this package of `agent` imports torch."""
