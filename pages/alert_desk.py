"""Alert desk: what next, and how long do I have?"""

from ui import alert_desk
from ui.frame import open_screen

screen = open_screen("alert_desk")
alert_desk.desk(screen)
