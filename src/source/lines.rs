//! Files, folders and standard input as a source.
//!
//! In: paths, or `-` for standard input. Out: [`RawRecord`]s, files in name order, one record a line of JSON Lines.
