"""The stage: what stands on it, what films it, and the film."""
