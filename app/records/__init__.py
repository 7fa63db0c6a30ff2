"""Tables and every SELECT; the visibility filter comes first."""
