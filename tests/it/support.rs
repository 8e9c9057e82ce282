//! What several test files share.

use std::path::PathBuf;

/// The data folder (`COPYDESK_DATA`), or `None` with one line on standard error; with `CI=true` its absence is a failure.
#[allow(dead_code, reason = "the first tests that read data land with their modules")]
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("COPYDESK_DATA") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "COPYDESK_DATA is not set, and with CI set nothing is skipped"
        );
        eprintln!("skipped: COPYDESK_DATA is not set, {path} cannot be read");
        return None;
    };
    let path = PathBuf::from(root).join(path);
    assert!(path.exists(), "{} is missing", path.display());
    Some(path)
}
