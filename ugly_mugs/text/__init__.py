"""Reading what people write: identifiers, digits written as words, folded letters, places."""
