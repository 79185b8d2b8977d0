"""What is true of the study and knows no subject."""
