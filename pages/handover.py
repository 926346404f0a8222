"""Shift handover: what does the next shift take over, and who has signed for it?"""

from ui import handover
from ui.frame import open_screen

screen = open_screen("handover")
screen.watch()
handover.page(screen)
