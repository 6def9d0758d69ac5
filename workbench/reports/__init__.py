"""Reports to hand on: what a run, a sweep or a project came to, as Markdown and as one HTML file."""
