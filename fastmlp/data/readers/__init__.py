"""One module for each file format, and the registry that finds the reader of a file.

To add a format, subclass `fastmlp.data.readers.reader.Reader` in a separate module and add an instance to `READERS`
in `fastmlp.data.readers.registry`.
"""
