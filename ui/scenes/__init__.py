"""The scenes of the wall: what a screen six metres away shows, one picture without scrolling."""
