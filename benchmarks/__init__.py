"""Accuracy, speed, memory and growth; against peers in the same run. `python -m benchmarks DATA` prints a table."""
