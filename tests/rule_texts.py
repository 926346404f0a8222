"""Alert rules as files, which several stories of the whole line share."""

from __future__ import annotations

TEXTS = """
time_to_act_min = 30
cause = "a"
consequence = "b"
action = "c"
owner = "d"
"""
HEAVY_RAIN = f"""
title_vi = "Mưa to"
title_en = "Heavy rain"
observed_property = "rain_1h"
direction = "above"
setpoint = 30
priority = "high"
deadband = 5
{TEXTS}"""
SOURCE_SILENT = f"""
title_vi = "Nguồn không trả lời"
title_en = "Source silent"
observed_property = "source_up"
direction = "below"
inclusive = false
setpoint = 1
priority = "medium"
{TEXTS}"""
