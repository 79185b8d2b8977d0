"""Tests that read like the protocol."""
