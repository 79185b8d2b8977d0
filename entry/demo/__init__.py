"""The demonstration study: invented subjects, entered through the one door as any site would enter them.

people     who takes part, and with which pass phrase
ranges     what the demonstration laboratory calls normal
values     the numbers, as tables over the days of the study
courses    how CRS and ICANS run, day by day
story      one subject's story: its dates, its entries, its visits, its signatures
screening, product, treatment, toxicity, forms, outcome   what can happen in a story
treated, recent, untreated   the stories themselves, one short function each
shapes     the study: who is told which story, when, and what that breaks
committee  the reviews before each step of the escalation, and of what stopped enrolment
talk       corrections, queries and what else comes after entry
load       everything together
replicate, copying   the named second door: told stories copied set-wise into thousands of subjects
describe   the tables of docs/demo.md
digest     a hash over every answer
clock      how long each step takes
"""
