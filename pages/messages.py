"""Messages: who was not told, and which messages went out?"""

from ui import messages
from ui.frame import open_screen

screen = open_screen("messages")
messages.outbox(screen)
