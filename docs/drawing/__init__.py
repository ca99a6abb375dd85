"""The figures of the pages, one module for each page."""
