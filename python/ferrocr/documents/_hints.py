"""Hints that several modules give about documents. A worker imports this, so it imports nothing."""

PASSWORD = "pass password="
PASSWORD_OPTION = "say --password, or set FERROCR_PASSWORD"

SMALLER = "give a lower dpi, or an engine with a lower max_pixels"
SMALLER_OPTION = "say a lower --dpi"
