//! Where finished records go.

pub mod kafka;
pub mod lines;
