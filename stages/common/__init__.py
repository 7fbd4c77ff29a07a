"""What several stages use; no other room of `stages` is imported from here."""
