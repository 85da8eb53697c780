"""Where work runs: here, in processes, on a cluster."""
