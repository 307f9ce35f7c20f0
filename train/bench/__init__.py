"""The benchmarks: speed, and what models are measured by beside the evaluation. Each is a command of its own."""
