"""How fast predictions are answered: ours beside others' servers, and the modes of serving beside one another."""
