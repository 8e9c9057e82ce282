//! W3C Trace Context: the `traceparent` and `tracestate` of a record.
//!
//! In: headers as they were received. Out: the [`Context`] that they name, if they name one; and `traceparent`s. What is
//! not valid names none, whatever it is: nothing here fails, and nothing longer than [`TRACESTATE_BYTES_MAX`] is kept.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::source::Header;

pub const TRACEPARENT: &str = "traceparent";
pub const TRACESTATE: &str = "tracestate";

/// What the standard asks everybody to pass on at least; a longer one stays in its header, and is left out of spans.
const TRACESTATE_BYTES_MAX: usize = 512;

/// Flags that are passed on: sampled, and that the trace id is random (level 2 of the standard).
const FLAGS: u8 = SAMPLED | 0x02;
const SAMPLED: u8 = 0x01;

/// One span, as other processes refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    pub trace_id: u128,
    pub span_id: u64,
    pub flags: u8,
}

impl Context {
    /// The context that a record's headers name. More than one `traceparent` name none, as the standard has it.
    pub fn of(headers: &[Header]) -> Option<Self> {
        let mut found = headers.iter().filter(|header| header.name == TRACEPARENT);
        let (Some(header), None) = (found.next(), found.next()) else { return None };
        Self::parse(header.value.as_deref()?)
    }

    /// `00-` 32 hex digits `-` 16 hex digits `-` 2 hex digits, with neither id all zeros. Later versions may append fields.
    fn parse(value: &[u8]) -> Option<Self> {
        const SEPARATORS: [usize; 3] = [2, 35, 52];
        let (known, rest) = value.split_at_checked(55)?;
        if SEPARATORS.iter().any(|&at| known[at] != b'-') {
            return None;
        }
        let version = hex(&known[..2])?;
        let is_whole = match version {
            0x00 => rest.is_empty(),
            0xff => false,
            _ => rest.first().is_none_or(|&byte| byte == b'-'),
        };
        let context = Self {
            trace_id: hex(&known[3..35])?,
            span_id: u64::try_from(hex(&known[36..52])?).ok()?,
            flags: u8::try_from(hex(&known[53..])?).ok()? & FLAGS,
        };
        (is_whole && context.trace_id != 0 && context.span_id != 0).then_some(context)
    }

    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }
}

impl fmt::Display for Context {
    /// As a `traceparent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// Lower-case digits alone, as the standard has it; at most 32.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u128::from(digit))
    })
}

/// The `tracestate` of a record: several headers are one list. Empty when there is none that a span can carry.
pub(super) fn tracestate(headers: &[Header]) -> String {
    let found = headers.iter().filter(|header| header.name == TRACESTATE);
    let mut state = String::new();
    for value in found.filter_map(|header| header.value.as_deref()) {
        let is_printable = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        let Some(text) = std::str::from_utf8(value).ok().filter(|_| is_printable) else {
            return String::new();
        };
        if !state.is_empty() && !text.is_empty() {
            state.push(',');
        }
        if state.len() + text.len() > TRACESTATE_BYTES_MAX {
            return String::new();
        }
        state.push_str(text);
    }
    state
}

/// New ids: a keyed hash of a counter. Its keys are random, and that is as random as these ids have to be.
#[derive(Debug, Default)]
pub struct Ids {
    keys: RandomState,
    next: AtomicU64,
}

impl Ids {
    /// A trace that begins here.
    pub fn root(&self, is_sampled: bool) -> Context {
        let trace_id = u128::from(self.next_id()) << 64 | u128::from(self.next_id());
        let flags = if is_sampled { SAMPLED } else { 0 };
        Context { trace_id, span_id: self.next_id(), flags }
    }

    pub(super) fn child(&self, parent: Context) -> Context {
        Context { span_id: self.next_id(), ..parent }
    }

    fn next_id(&self) -> u64 {
        // All zeros would be invalid.
        self.keys.hash_one(self.next.fetch_add(1, Ordering::Relaxed)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[track_caller]
    fn check(value: &str, expected: Option<&str>) {
        let found = Context::of(&[Header::new(TRACEPARENT, value.to_owned())]);
        assert_eq!(found.map(|context| context.to_string()).as_deref(), expected, "{value}");
    }

    #[test]
    fn valid_traceparents_name_a_context() {
        check(VALID, Some(VALID));
        let later = |rest: &str| VALID.replacen("00", "cc", 1) + rest;
        check(&later(""), Some(VALID));
        check(&later("-more-of-it"), Some(VALID));
        // Flags that are not known are not passed on.
        let flags = |flags: &str| VALID.replace("-01", flags);
        check(&flags("-ff"), Some(&flags("-03")));
        check(&flags("-00"), Some(&flags("-00")));
    }

    #[test]
    fn hostile_traceparents_name_none() {
        let without_end = VALID.strip_suffix("1").unwrap();
        for value in [
            "",
            "-",
            "---",
            "00",
            without_end,
            &format!("{VALID}-more"),
            &format!("{VALID} "),
            &format!(" {VALID}"),
            &format!("{VALID}\n"),
            &format!("{VALID}, {VALID}"),
            &VALID.to_uppercase(),
            &VALID.replacen("00", "ff", 1),
            &VALID.replacen("00", "0x", 1),
            &VALID.replacen("00", "cc", 1).replace("-01", "-01x"),
            &VALID.replace('-', "_"),
            &VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &VALID.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &VALID.replace('4', "é"),
            &VALID.replace("-01", "-\0\0"),
            &"0".repeat(55),
            &"-".repeat(1 << 20),
            &VALID.repeat(20_000),
        ] {
            check(value, None);
        }
        let bytes =
            |value: &[u8]| Header { name: TRACEPARENT.into(), value: Some(value.to_vec().into()) };
        assert_eq!(Context::of(&[bytes(&[0xff; 55])]), None);
        assert_eq!(Context::of(&[Header { name: TRACEPARENT.into(), value: None }]), None);
        assert_eq!(Context::of(&[bytes(VALID.as_bytes()), bytes(VALID.as_bytes())]), None);
        assert_eq!(Context::of(&[]), None);
    }

    #[track_caller]
    fn check_state(values: &[&[u8]], expected: &str) {
        let header = |value: &&[u8]| Header::new(TRACESTATE, value.to_vec());
        let headers: Vec<_> = values.iter().map(header).collect();
        assert_eq!(tracestate(&headers), expected);
    }

    #[test]
    fn tracestates_are_joined_and_bounded() {
        check_state(&[], "");
        check_state(&[b"a=1", b"", b"b=2,c=3"], "a=1,b=2,c=3");
        check_state(&[b"a=1\n"], "");
        check_state(&[b"a=\xff"], "");
        check_state(&["a=é".as_bytes()], "");
        check_state(&["x".repeat(512).as_bytes()], &"x".repeat(512));
        check_state(&["x".repeat(513).as_bytes()], "");
        check_state(&[&b"x".repeat(500), &b"x".repeat(20)], "");
    }

    #[test]
    fn ids_are_valid_and_differ() {
        let ids = Ids::default();
        let (a, b) = (ids.root(true), ids.root(false));
        assert_ne!(a.trace_id, b.trace_id);
        assert_eq!((a.is_sampled(), b.is_sampled()), (true, false));
        check(&a.to_string(), Some(&a.to_string()));
        let child = ids.child(a);
        assert_eq!((child.trace_id, child.flags), (a.trace_id, a.flags));
        assert_ne!(child.span_id, a.span_id);
    }
}
