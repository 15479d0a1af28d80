"""A small neural kernel field: a kernel of learned features, trained on made shapes, beside the kernel as it is."""
