"""Networks that read lips, in torch: trained here, run elsewhere."""
