"""Alarm health: is the alarm system itself fit to be lived with, and which rule wants a cure?"""

from ui import alarm_health
from ui.frame import open_screen

screen = open_screen("alarm_health")
screen.watch()
alarm_health.health(screen)
