"""What people go through on a course: named variables with units, over people and times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Trajectories:
    """Plain arrays of shape (n, T) by name, which load quickly; ``dataset`` makes labelled ones of them.

    ``said`` holds the unit of each variable and what it is, ``attrs`` what there is to say about all of them.
    """

    numbers: NDArray[np.int64]  # (n,), each person's in their population
    weight_kg: Array  # (n,)
    times_min: Array  # (T,)
    values: Mapping[str, Array]
    said: Mapping[str, tuple[str, str]]
    attrs: Mapping[str, Any]

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def __len__(self) -> int:
        return len(self.numbers)

    def at(self, kept: NDArray[np.bool_]) -> Trajectories:
        """At the times that are ``kept``, shape (T,), only."""
        values = {name: each[:, kept] for name, each in self.values.items()}
        return replace(self, times_min=self.times_min[kept], values=values)

    def with_more(self, values: Mapping[str, Array], said: Mapping[str, tuple[str, str]]) -> Trajectories:
        """The same with more variables."""
        return replace(self, values={**self.values, **values}, said={**self.said, **said})

    def summary(self, name: str) -> tuple[Array, Array, Array]:
        """Median and the central 90 % of people at each time; three of shape (T,)."""
        low, middle, high = np.quantile(self.values[name], [0.05, 0.5, 0.95], axis=0)
        return middle, low, high

    def dataset(self) -> xr.Dataset:
        """Dimensions ``person`` and ``time``, coordinates ``times_min`` and ``weight_kg``, units on each variable."""
        import xarray as xr  # brings pandas, which takes a second to load

        return xr.Dataset(
            {
                name: (("person", "time"), each, {"units": self.said[name][0], "long_name": self.said[name][1]})
                for name, each in self.values.items()
            },
            coords={
                "person": ("person", self.numbers),
                "times_min": ("time", self.times_min, {"units": "min", "long_name": "time from day 0"}),
                "weight_kg": ("person", self.weight_kg, {"units": "kg"}),
            },
            attrs=dict(self.attrs),
        )
