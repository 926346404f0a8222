"""The roadmap: are the targets in reach, who does what by when, what comes first, what did decisions change?"""

from ui import roadmap
from ui.frame import open_screen

screen = open_screen("roadmap")
screen.watch()
roadmap.page(screen)
