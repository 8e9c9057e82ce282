//! What a status word does to a story.
//!
//! In: the word as the newsroom wrote it. Out: whether the story stands, is taken back, or the word is not known.

use crate::article::RetractionReason;

/// What a known word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Usable,
    Retracted(RetractionReason),
}

/// Words after which a story must not be shown, and why. Each is known from ninjs, ANS, schema.org or a content
/// management system; an embargo is not among them, since it ends by itself.
const RETRACTED: &[(&str, RetractionReason)] = &[
    ("canceled", RetractionReason::Canceled),
    ("cancelled", RetractionReason::Canceled),
    ("kill", RetractionReason::Canceled),
    ("killed", RetractionReason::Canceled),
    ("mandatory kill", RetractionReason::Canceled),
    ("retracted", RetractionReason::Canceled),
    ("revoked", RetractionReason::Canceled),
    ("spiked", RetractionReason::Canceled),
    ("withdrawn", RetractionReason::Canceled),
    ("hold", RetractionReason::Withheld),
    ("held", RetractionReason::Withheld),
    ("on hold", RetractionReason::Withheld),
    ("suspended", RetractionReason::Withheld),
    ("withheld", RetractionReason::Withheld),
    ("delete", RetractionReason::Deleted),
    ("deleted", RetractionReason::Deleted),
    ("removed", RetractionReason::Deleted),
    ("trash", RetractionReason::Deleted),
    ("trashed", RetractionReason::Deleted),
    ("unpublish", RetractionReason::Deleted),
    ("unpublished", RetractionReason::Deleted),
];

/// Words that leave a story standing.
const USABLE: &[&str] = &[
    "active",
    "approved",
    "archived",
    "complete",
    "corrected",
    "correction",
    "draft",
    "embargoed",
    "final",
    "incomplete",
    "live",
    "new",
    "public",
    "publish",
    "published",
    "ready",
    "released",
    "republished",
    "scheduled",
    "update",
    "updated",
    "usable",
];

/// What `word` says, whatever its case and however its parts are joined; a code's scheme (`stat:usable`,
/// `http://cv.iptc.org/newscodes/pubstatusg2/usable`) is left aside. `None` for a word that is not known.
pub(super) fn of_word(word: &str) -> Option<Status> {
    let code = word.trim().rsplit([':', '/', '#']).next().unwrap_or_default();
    let code = code.to_lowercase().replace(['_', '-'], " ");
    let retracted = RETRACTED.iter().find(|(known, _)| *known == code);
    match retracted {
        Some(&(_, reason)) => Some(Status::Retracted(reason)),
        None => USABLE.binary_search(&code.as_str()).is_ok().then_some(Status::Usable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<Status>) {
        assert_eq!(of_word(word), expected, "{word}");
    }

    #[test]
    fn words_are_read_in_any_dress() {
        check("usable", Some(Status::Usable));
        check("stat:usable", Some(Status::Usable));
        check(
            "http://cv.iptc.org/newscodes/pubstatusg2/canceled",
            Some(Status::Retracted(RetractionReason::Canceled)),
        );
        check(" Withheld ", Some(Status::Retracted(RetractionReason::Withheld)));
        check("ON_HOLD", Some(Status::Retracted(RetractionReason::Withheld)));
        check("Unpublished", Some(Status::Retracted(RetractionReason::Deleted)));
        check("Mandatory-Kill", Some(Status::Retracted(RetractionReason::Canceled)));
        check("embargoed", Some(Status::Usable));
        check("unkillable", None);
        check("", None);
    }

    #[test]
    fn usable_words_are_sorted() {
        assert!(USABLE.is_sorted());
    }
}
