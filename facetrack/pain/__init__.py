"""The facial expression of pain: how strongly a face shows it, never pain itself."""
