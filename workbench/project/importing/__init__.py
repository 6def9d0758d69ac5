"""Settings of other fine-tuning tools, turned into those of project.toml."""
