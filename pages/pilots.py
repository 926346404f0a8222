"""Pilots: what was planned and locked, what such a pilot can see, and what its figures say afterwards."""

from ui import pilots
from ui.frame import open_screen

screen = open_screen("pilots")
screen.watch()
pilots.register(screen)
