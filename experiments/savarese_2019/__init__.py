"""What a function of one input costs as a network, with and without free affine functions."""
