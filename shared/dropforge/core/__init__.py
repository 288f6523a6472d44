"""Steps and state over ports. Imports no Google package."""
