"""Label models: votes in, consensus and reliabilities out; one file each."""
