"""Links between domains: what goes before what, the same events over all of them, and what usually follows."""

from ui import links
from ui.frame import open_screen

screen = open_screen("links")
screen.watch()
links.explore(screen)
