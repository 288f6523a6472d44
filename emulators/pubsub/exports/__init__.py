"""Subscriptions that write their messages to BigQuery or Cloud Storage, through those services' emulators."""
