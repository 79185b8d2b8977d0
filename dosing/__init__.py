"""What subjects receive: apheresis, manufacturing, custody, lymphodepletion, dose level, infusion."""
