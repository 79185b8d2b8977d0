"""Printing: what is read on the screen, on numbered pages that say what they are."""
