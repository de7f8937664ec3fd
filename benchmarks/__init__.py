"""Measurements that print each figure beside its bar; run one with `python -m benchmarks.NAME`."""
