//! Per-partition low-water mark: the highest offset below which every record is settled.
