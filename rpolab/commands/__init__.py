"""The subcommands of `rpolab`, one module each; each has its click command as `command`."""
