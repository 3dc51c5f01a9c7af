"""Recognising what people write: identifiers, digits in words, places; and folding text for comparison."""
