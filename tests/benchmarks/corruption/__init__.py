"""Twenty-two ways to spoil a month of flights or weather, and what the watch over batches makes of each."""
