"""Measures: one name, one formula. Facts are folded into counts; formulas turn counts into figures."""
