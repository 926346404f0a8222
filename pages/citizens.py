"""Citizens and services: are they satisfied, what do they look for and use, what do they report, how are we scored?"""

from ui import citizens
from ui.frame import open_screen

screen = open_screen("citizens")
screen.watch()
citizens.page(screen)
