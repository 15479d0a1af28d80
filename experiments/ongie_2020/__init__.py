"""What functions of several inputs cost as networks: smooth radial ones, and pyramids, which no network affords."""
