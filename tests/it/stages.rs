//! The stages on whole articles: what must be found, and properties that always hold.
