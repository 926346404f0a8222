"""Environment and weather: air, rain, river, flooding, noise, heat."""

from ui import domains
from ui.frame import open_screen

screen = open_screen("environment")
screen.live(domains.environment)
