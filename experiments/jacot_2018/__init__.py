"""The neural tangent kernel: the limit of wide networks, and what it does not do."""
