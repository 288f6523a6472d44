"""Cloud Storage emulator: the JSON API, the XML API as far as Google's own tools use it, and notifications.

Start it with `python -m emulators storage [--port P] [--data DIR]` and point clients at it with
`STORAGE_EMULATOR_HOST=http://127.0.0.1:P`. What each method does stands in `methods.py`.
"""
