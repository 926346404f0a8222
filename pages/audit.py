"""Audit log: who did what, when, from where, and is the log whole?"""

from ui import audit
from ui.frame import open_screen

screen = open_screen("audit")
screen.watch()
audit.log(screen)
