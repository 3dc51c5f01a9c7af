"""The database: engine, column declarations, and tables of allowed state changes."""
