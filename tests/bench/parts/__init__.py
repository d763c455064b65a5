"""The parts of the benchmark: run(ctx) gives the rows of one."""
