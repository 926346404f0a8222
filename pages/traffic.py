"""Traffic: which corridors, how slow, and is it unusual?"""

from ui import domains
from ui.frame import open_screen

screen = open_screen("traffic")
screen.live(domains.traffic)
