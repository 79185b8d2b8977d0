"""When subjects are seen: the schedule of activities, visits, and the forms collected at them."""
