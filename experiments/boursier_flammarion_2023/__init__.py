"""On the line, penalised biases make the interpolant of least norm unique, and mostly the sparsest of all."""
