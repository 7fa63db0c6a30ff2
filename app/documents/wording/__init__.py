"""Every word of papers and sheets, a table for each kind; no key stands in two of them."""

from app.documents.wording import accounts, casefiles, papers, sheets

TABLES = (papers.WORDS, accounts.WORDS, casefiles.WORDS, sheets.WORDS)
