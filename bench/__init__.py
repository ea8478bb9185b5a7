"""Benchmarks: each compares in one run, and is run by hand. They are no tests."""
