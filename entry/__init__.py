"""The site's pages and the one door for writes."""
