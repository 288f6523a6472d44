"""The functions, one a folder, and what turns them into bundles: `flow.yaml`, its reader, and the builder."""
