"""The commands: each is a module that reads its arguments and calls the library."""
