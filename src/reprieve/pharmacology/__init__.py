"""From a regimen to trajectories: concentrations, receptor block, synapses, symptoms, blood pressure, dissociation.

For research and method development. Not for dosing people.
"""
