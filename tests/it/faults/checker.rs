//! What went in against what came out: sets and order.
//!
//! It is tested itself, by losses, doubles, disorder and strangers that it must report.

use std::collections::{BTreeMap, BTreeSet};

/// A record that came out, in the order of its partition: where it stood in the input, and where it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Output {
    /// Partition and offset.
    pub(crate) source: (i32, i64),
    /// Topics are told apart by a number.
    pub(crate) topic: usize,
    pub(crate) partition: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    ExactlyOnce,
    AtLeastOnce,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Defect {
    Missing((i32, i64)),
    Doubled((i32, i64)),
    /// It came out after a later record of its input partition, in the same output partition.
    OutOfOrder((i32, i64)),
    /// It never went in.
    Stranger((i32, i64)),
}

/// All that is wrong with `outputs`, given the input's positions. Where doubles are allowed, the first ones count.
pub(crate) fn defects(
    inputs: &BTreeSet<(i32, i64)>,
    outputs: &[Output],
    promise: Promise,
) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<(i32, usize, i32), i64> = BTreeMap::new();
    for output in outputs {
        let (partition, offset) = output.source;
        if !inputs.contains(&output.source) {
            defects.push(Defect::Stranger(output.source));
        }
        if !seen.insert(output.source) {
            if promise == Promise::ExactlyOnce {
                defects.push(Defect::Doubled(output.source));
            }
            continue;
        }
        let last = last.entry((partition, output.topic, output.partition)).or_insert(-1);
        if *last > offset {
            defects.push(Defect::OutOfOrder(output.source));
        }
        *last = offset.max(*last);
    }
    defects.extend(inputs.difference(&seen).map(|&source| Defect::Missing(source)));
    defects
}

#[track_caller]
fn check(outputs: &[(i64, i32)], promise: Promise, expected: &[Defect]) {
    let inputs = (0..4).map(|offset| (0, offset)).collect();
    let outputs: Vec<_> = outputs
        .iter()
        .map(|&(offset, partition)| Output { source: (0, offset), topic: 0, partition })
        .collect();
    assert_eq!(defects(&inputs, &outputs, promise), expected);
}

#[test]
fn what_is_right_has_no_defects() {
    check(&[(0, 0), (1, 0), (2, 0), (3, 0)], Promise::ExactlyOnce, &[]);
    // Order holds within a partition only.
    check(&[(2, 1), (3, 1), (0, 0), (1, 0)], Promise::ExactlyOnce, &[]);
    check(&[(0, 0), (1, 0), (0, 0), (1, 0), (2, 0), (3, 0)], Promise::AtLeastOnce, &[]);
}

#[test]
fn planted_defects_are_reported() {
    use Defect::{Doubled, Missing, OutOfOrder, Stranger};
    for promise in [Promise::ExactlyOnce, Promise::AtLeastOnce] {
        check(&[(0, 0), (2, 0), (3, 0)], promise, &[Missing((0, 1))]);
        check(&[], promise, &[0, 1, 2, 3].map(|offset| Missing((0, offset))));
        check(&[(0, 0), (2, 0), (1, 0), (3, 0)], promise, &[OutOfOrder((0, 1))]);
        check(&[(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)], promise, &[Stranger((0, 4))]);
        // A double does not stand in for what is lost.
        let defects = match promise {
            Promise::ExactlyOnce => vec![Doubled((0, 2)), Missing((0, 3))],
            Promise::AtLeastOnce => vec![Missing((0, 3))],
        };
        check(&[(0, 0), (1, 0), (2, 0), (2, 1)], promise, &defects);
    }
    check(&[(0, 0), (1, 0), (1, 0), (2, 0), (3, 0)], Promise::ExactlyOnce, &[Doubled((0, 1))]);
}
