"""Help: how is this screen read, what does this word mean, where do I begin?"""

from ui import guide
from ui.frame import open_screen

screen = open_screen("guide")
screen.watch()
guide.show(screen)
