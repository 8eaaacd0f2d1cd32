"""Giving the treatment and seeing what came of it: plans, sessions, consent, outcomes. Pure."""
