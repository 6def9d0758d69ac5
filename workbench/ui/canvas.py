"""The one module that talks to plotext 6: what reaches it is finite, inside the window, and a few points a column."""
