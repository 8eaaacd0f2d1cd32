"""From a regimen to trajectories: concentrations, receptor block, synapses, symptoms, blood pressure, dissociation.

For research and method development. Not for dosing people.
"""


class PharmacologyError(ValueError):
    """What was asked cannot be simulated: says the value, the rule, and the way out."""
