"""Frames in, pictures out: SVG strings, Altair charts, pydeck decks. No streamlit: reports draw what screens draw."""
