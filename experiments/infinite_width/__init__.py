"""Networks of finite width beside their limits, and beside the Banach space that no kernel has."""
