"""Drill: how is the shift doing, and how did earlier shifts do?"""

from ui import drill
from ui.frame import open_screen

screen = open_screen("drill")
screen.watch()
drill.drills(screen)
