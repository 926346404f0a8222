"""Frames in, pictures out: SVG strings, Altair charts and pydeck decks. No streamlit, so reports draw what screens draw."""
