"""Telling people: what is owed to them is written here by whoever makes it true."""
