"""What the user owns: `project.toml`, read, validated and written."""
