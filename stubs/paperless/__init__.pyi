"""paperless-ngx, as far as the parser uses it."""
