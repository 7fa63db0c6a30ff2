"""Earmark: the annual settlement of softly earmarked funds between Denmark's MFA and IOM."""
