"""The structural checker: does every page of a database keep the rules of ESE's annexes D to F?"""
