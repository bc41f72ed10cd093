//! A report as one HTML file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::model::Report;

const STYLE: &str = include_str!("page/page.css");
const BODY: &str = include_str!("page/page.html");
const SCRIPT: &str = concat!(
    include_str!("page/words.js"),
    include_str!("page/layout.js"),
    include_str!("page/draw.js"),
    include_str!("page/view.js"),
    include_str!("page/page.js"),
);

impl Report {
    /// One file that needs nothing else, no network, and lets nothing else in: a browser that opens it runs
    /// this script and no other, whatever the names in it say. The same report gives the same bytes.
    #[must_use]
    pub fn html(&self) -> String {
        let data = serde_json::to_string(self).unwrap_or_default();
        // The one letter that could end the element in which the data stand. In JSON it can only be in a text.
        let data = data.replace('<', "\\u003c");
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {script}; \
             style-src {style}; base-uri 'none'; form-action 'none'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>tenure</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n{BODY}\
             <script type=\"application/json\" id=\"report\">{data}</script>\n\
             <script>{SCRIPT}</script>\n</body>\n</html>\n"
        )
    }
}

/// As a policy names what may run.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_data_ends_the_element() {
        let evil = "</script><img src=x onerror=alert(1)><!--";
        let mut report = Report::default();
        report.head.title = evil.to_owned();
        report.texts.put(evil);
        let html = report.html();
        assert!(!html.contains(evil) && !html.contains("<img"));
        assert_eq!(html.matches("</script>").count(), 2);
        let (_, rest) = html.split_once("id=\"report\">").unwrap();
        let (data, _) = rest.split_once("</script>").unwrap();
        let read: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!((&read["head"]["title"], &read["texts"][0]), (&evil.into(), &evil.into()));
    }

    #[test]
    fn the_policy_names_the_script_by_a_known_hash() {
        // FIPS 180, of "abc".
        assert_eq!(hash("abc"), "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='");
        let html = Report::default().html();
        assert!(html.contains("default-src 'none'") && !html.contains("unsafe"));
        for outside in ["http:", "https:", "url(", "import ", "fetch("] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
