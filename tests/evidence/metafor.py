"""What R's metafor found on public data sets; validation/metafor/reference.R wrote the numbers."""

import json
from pathlib import Path

METAFOR = json.loads((Path(__file__).parents[1] / "reference" / "evidence" / "metafor.json").read_text())
SETS = METAFOR["sets"]
BCG = SETS["bcg"]["estimates"], SETS["bcg"]["variances"]
METHOD = {"EE": "common", "DL": "DL", "REML": "REML", "PM": "PM"}
INTERVAL = {"z": "normal", "knha": "hartung-knapp"}


def options(key):
    """Our names for metafor's, from a key such as "REML knha"."""
    method, test = key.split()
    return {"method": METHOD[method], "interval_method": INTERVAL[test]}
