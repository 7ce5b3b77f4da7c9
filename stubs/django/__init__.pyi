"""Django, as far as paperless-ngx's settings are read."""
