"""The engines that turn the handbook into a site."""
