"""Training on named arrays: samplers, updates, validators, callbacks. Nothing here knows what the arrays mean."""
