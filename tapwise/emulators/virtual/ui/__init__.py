"""A small declarative toolkit: state -> views -> layout -> pixels, and the same layout -> accessibility tree."""
