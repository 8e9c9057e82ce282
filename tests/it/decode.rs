//! Every input format, on conformance files and on this project's own samples.
