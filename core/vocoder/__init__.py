"""Vocoders, from log-mel to sound: a light network, Griffin-Lim without weights, and BigVGAN's checkpoints."""
