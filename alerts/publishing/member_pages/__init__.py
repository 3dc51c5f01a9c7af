"""The pages on which members read alerts."""
