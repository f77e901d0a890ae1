"""Measures as every peer does: warms up for the given time, then measures for as long."""

import json
import resource
import time


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def measure(work, ms):
    """Measures work(n), which does an operation n times, and prints nanoseconds per operation."""
    wall_ns, cpu_ns = time.perf_counter_ns, time.process_time_ns
    n = 1
    start = wall_ns()
    while wall_ns() - start < ms * 1e6:
        before = wall_ns()
        work(n)
        if wall_ns() - before < 2e6:
            n *= 2  # Chunks of a few milliseconds.
    times = 0
    cpu, wall = cpu_ns(), wall_ns()
    while True:
        work(n)
        times += n
        if wall_ns() - wall >= ms * 1e6:
            break
    wall, cpu = wall_ns() - wall, cpu_ns() - cpu
    print(json.dumps({"cpu": cpu / times, "wall": wall / times}))
