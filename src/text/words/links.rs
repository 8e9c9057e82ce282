//! Addresses that are one word: URLs, e-mail addresses, `@handles` and `#hashtags`.
//!
//! In: text that starts where a word may start. Out: the address's length in bytes, when there is one. Each look
//! ahead is bounded, so that a text full of false starts still costs linear time.

/// Longest local part and domain of an e-mail address, in bytes (RFC 5321).
const EMAIL_LOCAL_BYTES_MAX: usize = 64;
const EMAIL_DOMAIN_BYTES_MAX: usize = 255;

/// Longest handle or hashtag in characters: every network's limit is far below it.
const TAG_CHARS_MAX: usize = 140;

/// Length of the address that starts `rest`.
pub(super) fn len(rest: &str) -> Option<usize> {
    match rest.as_bytes().first()? {
        b'@' | b'#' => tag_len(rest),
        byte if byte.is_ascii_alphanumeric() => url_len(rest).or_else(|| email_len(rest)),
        _ => None,
    }
}

/// Length of the path that follows a bare domain (`example.com/news?id=1`); 0 when there is none.
pub(super) fn path_len(domain: &str, after: &str) -> usize {
    let is_domain = domain.is_ascii()
        && domain.rsplit_once('.').is_some_and(|(host, top)| {
            host.len() >= 2 && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_lowercase())
        });
    if is_domain && after.starts_with('/') { address_len(after) } else { 0 }
}

fn url_len(rest: &str) -> Option<usize> {
    const PREFIXES: &[&str] = &["http://", "https://", "ftp://", "www."];
    let prefix = PREFIXES.iter().find(|prefix| {
        rest.as_bytes()
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    })?;
    let after = rest.get(prefix.len()..)?;
    after.starts_with(char::is_alphanumeric).then(|| prefix.len() + address_len(after))
}

/// Up to white space or a mark that no URL holds, without the sentence's own marks at the end.
fn address_len(rest: &str) -> usize {
    let end = rest.find(ends_address).unwrap_or(rest.len());
    let address = rest.get(..end).unwrap_or_default();
    let mut len = address.trim_end_matches(is_trailing).len();
    let closes_own = rest.get(..len).is_some_and(|address| address.contains('('));
    if closes_own && rest.as_bytes().get(len) == Some(&b')') {
        len += 1;
    }
    len
}

fn ends_address(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '“' | '”' | '‘' | '’' | '«' | '»' | '|' | '—')
}

fn is_trailing(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | ')' | ']' | '}' | '…' | '*')
}

fn email_len(rest: &str) -> Option<usize> {
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    let bytes = rest.as_bytes();
    let local =
        bytes.iter().take(EMAIL_LOCAL_BYTES_MAX + 1).take_while(|byte| is_local(byte)).count();
    if local == 0 || bytes.get(local) != Some(&b'@') {
        return None;
    }
    let domain_bytes = bytes.get(local + 1..)?;
    let is_domain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let end =
        domain_bytes.iter().take(EMAIL_DOMAIN_BYTES_MAX).take_while(|byte| is_domain(byte)).count();
    let domain = rest.get(local + 1..local + 1 + end)?.trim_end_matches(['.', '-']);
    let is_complete =
        domain.split('.').count() >= 2 && domain.split('.').all(|label| !label.is_empty());
    is_complete.then_some(local + 1 + domain.len())
}

/// `@name` or `#topic`: letters, digits and low lines, at least one of them no digit.
fn tag_len(rest: &str) -> Option<usize> {
    let name = rest.get(1..)?;
    let is_inside = |c: char| c.is_alphanumeric() || c == '_';
    let mut end = 0;
    let mut has_letter = false;
    for c in name.chars().take(TAG_CHARS_MAX).take_while(|&c| is_inside(c)) {
        end += c.len_utf8();
        has_letter |= !c.is_numeric();
    }
    has_letter.then_some(1 + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_where_they_should() {
        let cases = [
            ("https://example.org/a_(b)?c=1#d, and", Some("https://example.org/a_(b)?c=1#d")),
            ("https://example.org/a_(b). He", Some("https://example.org/a_(b)")),
            ("www.example.org) is", Some("www.example.org")),
            ("HTTP://Example.org”", Some("HTTP://Example.org")),
            ("http:// nothing", None),
            ("jane.doe+news@example.co.uk.", Some("jane.doe+news@example.co.uk")),
            ("jane@home said", None),
            ("@jane_doe: hello", Some("@jane_doe")),
            ("#MeToo, she", Some("#MeToo")),
            ("#1 in", None),
            ("@ noon", None),
        ];
        for (rest, expected) in cases {
            assert_eq!(len(rest).and_then(|len| rest.get(..len)), expected, "{rest}");
        }
        assert_eq!(path_len("example.com", "/news/1, he"), 7);
        assert_eq!(path_len("and", "/or"), 0);
        assert_eq!(path_len("U.S", "/China"), 0);
    }
}
