"""Try a rule: how often would it have rung, and what would other figures have done?"""

from ui import rule_trial
from ui.frame import open_screen

screen = open_screen("rule_trial")
screen.watch()
rule_trial.trials(screen)
