"""The desk: the list of reports, one report's page, and the decisions about it."""
