"""The sealed report: what it holds, what the reporter allows, what is made from it, and how it is opened."""
