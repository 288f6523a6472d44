"""Personalised models: small corrections of single entities (`training.per`) over one model of everybody."""
