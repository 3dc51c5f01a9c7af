"""The pages behind a receipt: a reporter reads, adds, decides about outputs, withdraws."""
