"""What every page needs: forms and their fields, languages, headers, what templates may know."""
