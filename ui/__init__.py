"""The shared parts of screens; with pages/ and dashboard.py the only room that knows streamlit."""
