"""The demonstration study: invented subjects, entered through the one door as any site would enter them.

people     who takes part, and with which pass phrase
ranges     what the demonstration laboratory calls normal
values     the numbers, as tables over the days of the study
courses    how CRS and ICANS run, day by day
story      one subject's story: its dates, its entries, its visits
screening, product, treatment, toxicity, forms, outcome   what can happen in a story
shapes     the stories themselves, one short function each
talk       corrections, queries and what else comes after entry
digest     a hash over every answer
load       everything together
"""
