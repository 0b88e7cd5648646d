"""Pre-training of the small model: reading and pointing on screens of the virtual phone, no task among them."""
