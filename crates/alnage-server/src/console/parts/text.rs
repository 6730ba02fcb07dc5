//! Small pieces of text: links, digests, sizes, counts.

use std::fmt;

/// Where a text leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// What is read.
    pub(crate) text: String,
    /// Where to; nowhere when empty.
    pub(crate) href: String,
}

impl Link {
    /// A link to `href`.
    pub(crate) fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.href.is_empty() {
            true => write!(f, "{}", Escaped(&self.text)),
            false => write!(f, r#"<a href="{}">{}</a>"#, Escaped(&self.href), Escaped(&self.text)),
        }
    }
}

impl askama::filters::HtmlSafe for Link {}

/// A digest or commit, cut to its first twelve characters; the whole of it is the title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Short(pub(crate) String);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut: String = self.0.chars().take(12).collect();
        write!(f, r#"<code title="{}">{}</code>"#, Escaped(&self.0), Escaped(&cut))
    }
}

impl askama::filters::HtmlSafe for Short {}

/// A size in the unit that leaves up to three digits before the point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
        if self.0 < 1000 {
            return write!(f, "{}\u{a0}B", self.0);
        }
        let (mut tenths, mut unit) = (self.0 / 100, 0);
        while tenths >= 10_000 && unit + 1 < UNITS.len() {
            tenths /= 1000;
            unit += 1;
        }
        let name = UNITS.get(unit).copied().unwrap_or_default();
        match tenths < 1000 {
            true => write!(f, "{}.{}\u{a0}{name}", tenths / 10, tenths % 10),
            false => write!(f, "{}\u{a0}{name}", Count(tenths / 10)),
        }
    }
}

impl askama::filters::HtmlSafe for Size {}

/// A number with its thousands apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl askama::filters::HtmlSafe for Count {}

/// Text in HTML, in content and in quoted attributes alike.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// A sentence of ours: what stands between backticks is set as code.
pub(crate) struct Said<'a>(pub(crate) &'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((before, (code, after))) =
            rest.split_once('`').and_then(|(before, after)| Some((before, after.split_once('`')?)))
        {
            write!(f, "{}<code>{}</code>", Escaped(before), Escaped(code))?;
            rest = after;
        }
        write!(f, "{}", Escaped(rest))
    }
}

impl askama::filters::HtmlSafe for Said<'_> {}

/// Text as a part of an address: what RFC 3986 leaves unreserved, and `/` and `@`, stay; the rest is in percent.
pub(crate) struct InPath<'a>(pub(crate) &'a str);

impl fmt::Display for InPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
                    write!(f, "{}", char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

/// Text as the value of a query: `/` is in percent as well.
pub(crate) struct InQuery<'a>(pub(crate) &'a str);

impl fmt::Display for InQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    write!(f, "{}", char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}
