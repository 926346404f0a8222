"""Data sources: which one is late, since when, what does it hide, and how good is what it gives?"""

from ui import data_quality, sources
from ui.frame import open_screen

screen = open_screen("source_health")
screen.live(sources.health)
data_quality.explore(screen)
