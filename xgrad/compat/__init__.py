"""Other libraries' names for xgrad, so that code which is written for them runs as it stands."""
