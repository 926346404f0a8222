"""Data sources: which one is late, since when, and what does it hide?"""

from ui import sources
from ui.frame import open_screen

screen = open_screen("source_health")
screen.live(sources.health)
