"""Tests of the texts and the records of this repository, apart from the tests of the engine."""
