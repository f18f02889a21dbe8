"""The proof of the listings: every sample is run, or read by the tool that it is for."""
