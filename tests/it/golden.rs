//! Golden records: the samples' enriched records, compared byte for byte and validated against the schema.
