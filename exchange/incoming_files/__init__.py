"""Files that come in: read, mapped by a profile, checked row by row, and entered through the bulk door."""
