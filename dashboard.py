"""Overview, the first screen, and the server's front door: `streamlit run dashboard.py`.

The server imports this file to find `app` (pages, own routes, and the line that starts before the first viewer);
Streamlit then runs the same file as the script of the page `/`.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    from api import front_door
    from ui import server

    app = st.App(
        __file__, routes=front_door.routes(server.start), lifespan=front_door.lifespan(server.start, server.stop)
    )
else:
    from ui import overview
    from ui.frame import open_screen

    screen = open_screen("overview")
    screen.live(overview.desk)
