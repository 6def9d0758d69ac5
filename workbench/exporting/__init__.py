"""Taking a model out: a folder, or a file, that other programs load and that answers as it did here."""
