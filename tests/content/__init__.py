"""Tests of the text on the published pages."""
