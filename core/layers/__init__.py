"""Building blocks that several rooms share: convolutional layers, chunked evaluation, seeded noise, peak picking."""
