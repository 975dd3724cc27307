"""Many expressions at once, as arrays: drawn, written, read, evaluated, hashed, worked out. One file each."""
