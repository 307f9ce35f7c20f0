"""Commands of those who build the project: speed, the card, pictures of the documentation, the extension's zip."""
