"""Filing a report: every door turns what it was given into one Submission, which one service seals and stores."""
