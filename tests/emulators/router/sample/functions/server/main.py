"""Stands for a container that is started as `python main.py`."""

import dropforge

print(dropforge.__file__)
