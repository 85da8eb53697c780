"""What learns from the consensus and comes back as an annotator."""
