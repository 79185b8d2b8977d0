"""What follows from the answers: doses, kinetics, response, survival. Pure functions on plain values."""
