//! The tracing subscriber: format and filter.
