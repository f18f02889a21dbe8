"""The `handbook` command: one module per subcommand, which is imported when it is called."""
