"""Services of AWS that nothing else here speaks to."""
