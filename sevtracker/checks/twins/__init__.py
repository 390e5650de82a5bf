"""Canary twins: two places beside a check's target, one open and one locked, that show that it can tell them apart."""
