"""What all pages share: forms and their fields, languages, headers, template globals."""
