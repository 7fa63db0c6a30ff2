"""What `index.json` of a case file says, as shapes that whatever comes from outside is held against."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.documents.casefile import Reason, Variant

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=2000)]
Day = date


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FileShape(_Shape):
    """A file as the index lists it; `left_out` and `fault` have no bytes."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,120}$")] | None = None
    size: int | None = None
    sha256: Sha | None = None
    of: Annotated[str, Field(pattern=r"^[a-z]+(/[0-9]+)?$", max_length=40)] | None = None
    stored_sha256: Sha | None = None
    left_out: Reason | None = None
    fault: Literal["missing", "altered"] | None = None


class ActShape(_Shape):
    number: int
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    left_out: Reason | None = None
    at: datetime | None = None
    date: Day | None = None
    what: Text | None = None
    by: dict[str, Text | None] | None = None
    files: list[FileShape] = []


class HeadShape(_Shape):
    seq: int
    hash: Sha


class Index(_Shape):
    """What `index.json` says."""

    format: Literal["earmark-casefile/1"]
    variant: Variant
    language: Literal["en", "da"]
    as_of: datetime
    ref: Annotated[str, Field(pattern=r"^DK-IOM-[0-9]{4}-[0-9]{3,8}$")]
    title: Text | None
    office: Text
    state: Text
    file_number: Text
    audit_head: HeadShape | None
    acts: list[ActShape]

    @property
    def files(self) -> list[FileShape]:
        """Every file that is in the case file but for the index, its paper and the sums."""
        return [file for act in self.acts for file in act.files if file.sha256 is not None]
