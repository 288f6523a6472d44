"""What training is worth: `windows` for how far back it learns, `peers` for how good and how fast it is."""
