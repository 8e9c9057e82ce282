//! Signals become one cancellation token.
