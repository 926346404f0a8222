"""Environment and weather: air, rain, river, flooding, noise, heat."""

from ui import decide, domains
from ui.frame import open_screen

screen = open_screen("environment")
screen.live(domains.environment)
decide.before(screen, ("vn_aqi", "worst"), ("pm25_24h", "worst"), ("rain_1h", "worst"))
