"""The wall, for readers six metres away. `/wall?screen=man_1&embed=true&lang=vi`"""

from ui import wall
from ui.frame import open_screen

wall.wall(open_screen("wall", wall=True))
