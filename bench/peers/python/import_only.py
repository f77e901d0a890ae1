"""Imports the module."""

import selectors

selectors.DefaultSelector
