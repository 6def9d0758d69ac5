"""One file a pane; each is imported when it is first shown."""
