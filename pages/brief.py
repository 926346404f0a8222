"""The leader's brief: what changed, why, what is asked by when, what comes, and how far to believe it."""

from ui import brief
from ui.frame import open_screen

screen = open_screen("brief")
screen.watch()
brief.page(screen)
