"""Public services and citizens: are people served on time, and are they content?"""

from ui import domains
from ui.frame import open_screen

screen = open_screen("services")
screen.live(domains.services)
