"""The wall: the overview for readers six metres away. `/wall?embed=true&lang=vi`"""

from ui import overview
from ui.frame import open_screen

screen = open_screen("wall", wall=True)
screen.live(overview.wall)
