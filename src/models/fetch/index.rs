//! Pages of a package index: which address has a file of a certain name.
//!
//! An index answers in JSON or in HTML, both after the simple repository API of PEP 503 and PEP 691. Only the links are
//! looked at: the catalog knows the hash of what it wants.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::address::Address;

/// The types of page that are understood, the preferred one first.
pub(super) const PAGE_TYPES: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// The longest page that is read. The page of a package with a hundred versions has about 50 kB.
pub(super) const MOST_PAGE_BYTES: u64 = 4 << 20;

/// A page with links to files.
#[derive(Debug)]
pub(super) struct Page {
    /// The address that it was found at, which its links start from.
    pub(super) address: Address,
    /// Its bytes.
    pub(super) content: Vec<u8>,
}

impl Page {
    /// Returns the link to the file of this name, as the page has it.
    pub(super) fn link(&self, file: &str) -> Option<String> {
        let is_json = self.content.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if is_json { link_in_json(&self.content, file) } else { link_in_html(&self.content, file) }
    }
}

fn link_in_json(content: &[u8], file: &str) -> Option<String> {
    let page: Value = serde_json::from_slice(content).ok()?;
    let mut files = page.get("files")?.as_array()?.iter();
    let found = files.find(|entry| entry.get("filename").and_then(Value::as_str) == Some(file))?;
    found.get("url")?.as_str().map(str::to_owned)
}

fn link_in_html(content: &[u8], file: &str) -> Option<String> {
    let page = String::from_utf8_lossy(content);
    let links = page.split("href").skip(1).filter_map(attribute_value);
    links.map(|link| link.replace("&amp;", "&")).find(|link| names(link, file))
}

/// Returns the value of an attribute, from what follows its name.
fn attribute_value(text: &str) -> Option<&str> {
    let value = text.trim_start().strip_prefix('=')?.trim_start();
    match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next(),
        _ => value.split([' ', '\n', '\t', '>']).next(),
    }
}

/// Tells whether a link ends in this file's name.
fn names(link: &str, file: &str) -> bool {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    percent_decode_str(name).eq(file.bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "box-1.0-py3-none-any.whl";

    fn link(content: &str) -> Option<String> {
        let address = Address::parse("https://index.example/simple/box/").unwrap();
        Page { address, content: content.into() }.link(FILE)
    }

    #[test]
    fn links_are_found_in_json_and_in_html() {
        let cases = [
            (r#"{"files": [{"filename": "box-1.0-py3-none-any.whl", "url": "../a.whl"}]}"#, Some("../a.whl")),
            (
                r#" {"files": [{"filename": "box-0.9.tar.gz", "url": "a"},
                    {"filename": "box-1.0-py3-none-any.whl", "url": "b"}]}"#,
                Some("b"),
            ),
            (r#"<a href="x/box-1.0-py3-none-any.whl#sha256=00">box</a>"#, Some("x/box-1.0-py3-none-any.whl#sha256=00")),
            (
                r#"<a  class='a' href = 'box-1.0-py3-none-any.whl?a=1&amp;b=2'>"#,
                Some("box-1.0-py3-none-any.whl?a=1&b=2"),
            ),
            ("<a href=/f/box%2D1.0-py3-none-any.whl>", Some("/f/box%2D1.0-py3-none-any.whl")),
            (r#"<a href="box-1.0.tar.gz"></a> box-1.0-py3-none-any.whl"#, None),
            (r#"<a href="box-1.0-py3-none-any.whl.metadata"></a>"#, None),
            (r#"{"files": [{"filename": "box-1.0-py3-none-any.whl"}]}"#, None),
            (r#"{"files": {"filename": "box-1.0-py3-none-any.whl"}}"#, None),
            (r#"{"files": [1, null, "box-1.0-py3-none-any.whl"]}"#, None),
            (r#"{"files": ["#, None),
            ("", None),
        ];
        for (content, expected) in cases {
            assert_eq!(link(content).as_deref(), expected, "{content}");
        }
    }

    #[test]
    fn json_that_is_nested_deeply_is_no_page() {
        assert_eq!(link(&format!("{{\"files\": {}", "[".repeat(100_000))), None);
    }

    proptest! {
        #[test]
        fn any_page_gets_an_answer(content in "(<a |href|=|\"|'|>|[{]\"files\":|[a-z./%&é0-9]){0,60}") {
            let _ = link(&content);
        }
    }
}
