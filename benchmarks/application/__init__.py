"""The application: rates, latency, blocks of the GUI thread, long sessions."""
