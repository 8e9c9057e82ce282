//! Hygiene of input text: line ends, invisible characters, mojibake, each with a map back.
