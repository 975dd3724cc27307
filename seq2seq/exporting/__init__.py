"""Exports runs to other formats."""
