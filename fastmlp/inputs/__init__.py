"""What the inputs of a network mean: tables with names of columns, categories, missing values, and the scale."""
