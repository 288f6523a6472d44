"""What the parts agree on: identities, events, places, verdicts, `pipeline.yaml`, and the errors. No I/O."""
