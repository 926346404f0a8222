"""Public services and citizens: are people served on time, and are they content?"""

from ui import decide, domains
from ui.frame import open_screen

screen = open_screen("services")
screen.live(domains.services)
decide.before(screen, ("on_time_rate", "city"), ("satisfaction", "city"), ("reports_60min", "city"))
