"""How the columns of a table become arrays: names as numbers, and scales. A run keeps this in its configuration."""
