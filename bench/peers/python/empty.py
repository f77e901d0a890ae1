"""An empty script."""
