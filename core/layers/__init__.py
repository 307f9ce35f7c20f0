"""What several networks are built from: convolutional blocks, long sequences in chunks, seeded noise."""
