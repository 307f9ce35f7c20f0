"""From log-mel back to sound: a light vocoder, Griffin-Lim without weights, BigVGAN's checkpoints."""
