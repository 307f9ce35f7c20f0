"""The demonstration: a song composed by code, its dance, and a film of both."""
