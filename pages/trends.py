"""Trends: is this unusual, and where is it going?"""

from ui import trends
from ui.frame import open_screen

screen = open_screen("trends")
screen.watch()
trends.explore(screen)
