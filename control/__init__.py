"""What people ask of the line: deeds through one gate, what a person may see, trials of rules, drills."""
