"""What profiling and judging cost, beside DuckDB's bare pass."""
