//! Standard output as a sink: one JSON record a line.
