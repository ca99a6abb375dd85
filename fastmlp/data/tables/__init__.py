"""Tables in text: what separates and names their columns, their values, and which column has the labels."""
