"""Systems that make a dance and its stage light, compared."""
