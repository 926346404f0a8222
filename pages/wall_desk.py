"""The desk of the wall: do its screens live, what do they show, and what shall they show?"""

from ui import wall_desk
from ui.frame import open_screen

screen = open_screen("wall_desk")
screen.watch()
wall_desk.desk(screen)
