"""Networks: their speed, what parts of their training bring, what the encoder sees."""
