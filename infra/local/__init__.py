"""Everything on one machine: the emulators, the functions' host, and the example that is dropped into it."""
