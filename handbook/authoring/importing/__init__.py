"""Import records of other teams: read what their files state, and guess nothing."""
