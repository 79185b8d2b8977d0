"""What follows from a casebook: grades, doses, response, survival, kinetics. Pure, with the answers each rests on."""
