//! Bad input: each case a clear reason or a correct record, none a crash.
