"""Helpers that several tests share, each named after what it provides."""
