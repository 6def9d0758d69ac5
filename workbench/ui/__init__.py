"""The screen: shows the light rooms and asks; never imports the engine."""
