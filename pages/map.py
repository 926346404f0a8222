"""Map: where is it, and what else is there?"""

from ui import city_layers
from ui.frame import open_screen

screen = open_screen("map")
screen.watch()
city_layers.explore(screen)
