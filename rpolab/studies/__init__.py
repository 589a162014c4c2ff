"""Many runs of one scenario: in processes, and judged together."""
