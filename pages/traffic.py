"""Traffic: which corridors, how slow, and is it unusual?"""

from ui import decide, domains
from ui.frame import open_screen

screen = open_screen("traffic")
screen.live(domains.traffic)
decide.before(screen, ("travel_time_index", "city"), ("arterial_speed", "city"), ("open_incidents", "sum"))
