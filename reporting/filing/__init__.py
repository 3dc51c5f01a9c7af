"""Filing a report: one submission, from whichever form it comes."""
