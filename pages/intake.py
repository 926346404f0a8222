"""The spreadsheet desk: who has delivered, who is late, and a file on its way in."""

from ui import intake
from ui.frame import open_screen

screen = open_screen("intake")
screen.watch()
intake.page(screen)
