"""Layers: what do the offices' maps say together, and what lies around this alert?"""

from ui import layers
from ui.frame import open_screen

screen = open_screen("layers")
screen.watch()
layers.page(screen)
