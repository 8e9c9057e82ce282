//! Which partitions of a topic nobody in the group has, as the group's coordinator tells it.
//!
//! In: a group of the classic protocol. Out: [`Ownership`]. A cooperative rebalance takes two rounds: whoever has too
//! much gives it up, joins again, and only then is it given away (KIP-429). A static member that ends in between and
//! comes back is given its old place without a round (KIP-345), so the second one never comes: what was given up stays
//! with nobody until the group has another reason to rebalance.

use std::collections::BTreeSet;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;

use super::context::Context;
use crate::kafka::LOOKUP_TIMEOUT;

/// A group between two rebalances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    members: Vec<String>,
    /// In ascending order. While a hand-over is under way it has these for a moment.
    pub unowned: Vec<i32>,
}

impl Ownership {
    /// Whether the group still counts on this static member. Brokers name them `INSTANCE-UUID`.
    pub fn has_instance(&self, instance: &str) -> bool {
        let is_of = |member: &String| {
            member
                .strip_prefix(instance)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|uuid| uuid.len() == 36)
        };
        self.members.iter().any(is_of)
    }
}

/// Asks for it; waits [`LOOKUP_TIMEOUT`] twice at most. `None` while the group rebalances or has no members.
pub(super) fn look_up(
    consumer: &BaseConsumer<Context>,
    group: &str,
    topic: &str,
) -> Result<Option<Ownership>, KafkaError> {
    let groups = consumer.fetch_group_list(Some(group), LOOKUP_TIMEOUT)?;
    let Some(found) = groups.groups().iter().find(|found| found.name() == group) else {
        return Ok(None);
    };
    if found.state() != "Stable" {
        return Ok(None);
    }
    let metadata = consumer.fetch_metadata(Some(topic), LOOKUP_TIMEOUT)?;
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
    let mut unowned: BTreeSet<i32> = partitions.map(|partition| partition.id()).collect();
    let mut members = Vec::new();
    for member in found.members() {
        members.push(member.id().to_owned());
        let assigned = member.assignment().and_then(|bytes| partitions_of(bytes, topic));
        for partition in assigned.unwrap_or_default() {
            unowned.remove(&partition);
        }
    }
    Ok(Some(Ownership { members, unowned: unowned.into_iter().collect() }))
}

/// Reads Kafka's `ConsumerProtocolAssignment`: a version, then topics with their partitions; what follows is not ours.
fn partitions_of(assignment: &[u8], topic: &str) -> Option<Vec<i32>> {
    let (_version, mut rest) = take::<2>(assignment)?;
    let n_topics = i32::from_be_bytes(*read::<4>(&mut rest)?);
    let mut partitions = Vec::new();
    for _ in 0..n_topics {
        let n_bytes = usize::try_from(i16::from_be_bytes(*read::<2>(&mut rest)?)).ok()?;
        let (name, after) = rest.split_at_checked(n_bytes)?;
        rest = after;
        let n_partitions = i32::from_be_bytes(*read::<4>(&mut rest)?);
        for _ in 0..n_partitions {
            let partition = i32::from_be_bytes(*read::<4>(&mut rest)?);
            if name == topic.as_bytes() {
                partitions.push(partition);
            }
        }
    }
    Some(partitions)
}

fn read<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (bytes, after) = take::<N>(rest)?;
    *rest = after;
    Some(bytes)
}

fn take<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8])> {
    bytes.split_first_chunk::<N>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_as_kafka_writes_it() {
        let mut bytes = vec![0, 3, 0, 0, 0, 2];
        for (topic, partitions) in [("other", &[7][..]), ("raw", &[2, 259])] {
            bytes.extend([0, u8::try_from(topic.len()).unwrap()]);
            bytes.extend(topic.as_bytes());
            bytes.extend(i32::try_from(partitions.len()).unwrap().to_be_bytes());
            partitions.iter().for_each(|partition: &i32| bytes.extend(partition.to_be_bytes()));
        }
        assert_eq!(partitions_of(&bytes, "raw"), Some(vec![2, 259]));
        assert_eq!(partitions_of(&bytes, "ra"), Some(vec![]));
        // No bytes of user data follow, or some do.
        bytes.extend([0, 0, 0, 1, 9]);
        assert_eq!(partitions_of(&bytes, "raw"), Some(vec![2, 259]));
        assert_eq!(partitions_of(&bytes[..20], "raw"), None);
        // Lengths that nothing follows end the reading at once.
        assert_eq!(partitions_of(&[0, 0, 0x7f, 0xff, 0xff, 0xff], "raw"), None);
        assert_eq!(partitions_of(&[0, 0, 0, 0, 0, 1, 0xff, 0xff], "raw"), None);
    }

    #[test]
    fn a_static_member_is_known_by_its_name() {
        let members = vec!["desk-1-0b1f6a0e-6f0e-4c59-9b7e-3f3c9a1e0d11".to_owned()];
        let ownership = Ownership { members, unowned: Vec::new() };
        assert!(ownership.has_instance("desk-1"));
        assert!(!ownership.has_instance("desk"));
        assert!(!ownership.has_instance("desk-10"));
    }
}
