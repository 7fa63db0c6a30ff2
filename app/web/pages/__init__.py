"""The pages for people in a browser, with their templates, words and static files."""
