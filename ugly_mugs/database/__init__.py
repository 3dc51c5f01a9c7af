"""The database: its engine, how each column declares what it holds, and how states move."""
