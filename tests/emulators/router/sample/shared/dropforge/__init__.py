"""Stands for the shared package in the sample's bundles."""
