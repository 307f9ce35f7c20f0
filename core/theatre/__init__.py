"""Music, dance and stage light in one model, after the theatre paper.

The paper is "Multimodal Fusion Generative Model for Pop Music Elements in Musical Theater Performances". Where its text
leaves a choice, the module that makes it says so.

Encoders turn each modality into one vector for every *time slice*, which is a few latent frames long. A unified space
joins the vectors. A scheduler attends from music to motion and light, and its vector steers every denoising step.
"""
