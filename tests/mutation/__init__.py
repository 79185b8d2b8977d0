"""Mutation testing: does a test fail when a rule is changed by one sign?"""
