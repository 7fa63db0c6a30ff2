"""The table of what others tell of their activities in IATI files, beside the register that is a file."""

from sqlalchemy import Column, Date, String, Table, Text

from app.records.metadata import Instant, key, metadata

# One activity as its publisher last told it. `countries` and `sectors` are JSON lists; `countries` is also searched by.
engagement = Table(
    "engagement",
    metadata,
    key(),
    Column("iati_identifier", String(200), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("countries", Text, nullable=False),
    Column("sectors", Text, nullable=False),
    Column("start_on", Date),
    Column("end_on", Date),
    Column("reporting_ref", Text, nullable=False),
    Column("reporting_name", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("file", Text, nullable=False),
    Column("file_sha256", String(64), nullable=False),
)
