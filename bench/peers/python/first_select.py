"""Imports the module and selects once."""

import selectors

selectors.DefaultSelector().select(0)
