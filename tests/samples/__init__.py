"""Tests of the samples: each file is run, or checked by its own tool."""
