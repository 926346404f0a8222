"""Alerts after ISA-18.2: rules as TOML, the life of an alert, the engine and what an operator may do. Pure."""
