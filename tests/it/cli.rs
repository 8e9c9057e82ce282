//! The binary as a user runs it: output, exit codes, messages.
