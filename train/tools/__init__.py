"""Commands for those who build the project: the card, the pictures of the documentation, the extension's zip."""
