"""Features, fitting, scoring and judging with scikit-learn."""
