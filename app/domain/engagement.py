"""The register of Danish engagements that proposals can have synergies with, as its YAML file has them."""

from app.domain.framework import Line, Policy
from app.domain.vocabulary import Country, Day


class Entry(Policy):
    """One engagement of `engagements.yaml`; days and identifier are null where the source names none."""

    iati_identifier: Line | None
    title: Line
    countries: list[Country]
    start: Day | None
    end: Day | None
    sectors: list[Line]
    summary: Line
    source: Line


class Register(Policy):
    """`engagements.yaml` as a whole."""

    engagements: list[Entry]
