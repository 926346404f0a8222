"""The words that all rooms share. Imports no other room."""
