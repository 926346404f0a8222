"""Overview, the first screen, and the server's front door: `streamlit run dashboard.py`.

The server imports this file to find `app` (pages, own routes, and the line that starts before the first viewer);
Streamlit then runs the same file as the script of the page `/`.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    from api import basemap, front_door, live, public, push, survey
    from ui import login, server

    front_door.or_end(server.check)  # before a port is opened
    front_door.believe_no_header()
    app = st.App(
        __file__,
        routes=[
            *front_door.routes(server.start),
            push.route(server.start),
            *survey.routes(server.start),
            *basemap.routes(server.start),
            *public.routes(server.start),
            live.route(server.start, server.TICKETS, lambda: server.start().screens),
        ],
        lifespan=front_door.lifespan(server.start, server.stop),
        middleware=front_door.guard(server.door, login.is_deed, lambda: server.start().city.public),
    )
else:
    from ui import overview
    from ui.frame import open_screen

    screen = open_screen("overview")
    screen.live(overview.desk)
