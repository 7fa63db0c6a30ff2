"""Pure: what a proposal is, how it is screened, which moves it can make. No database, no clock, no web."""
