//! Lineage as a drawing: what a version was made from on the left, the version, what was made from it on the right.

use std::fmt;

use super::{Escaped, Mark};

/// One model, dataset or file in the drawing.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: String,
    /// What it is to this version, or its version: one short line.
    pub(crate) detail: String,
    /// Where it stands.
    pub(crate) mark: Mark,
    /// Its page; empty when the registry does not have it.
    pub(crate) href: String,
    /// How many steps from this version: below nought are sources, above are what was made from it.
    pub(crate) depth: i8,
}

/// From a source to what was made from it, by their places in the list of nodes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// A lineage. It is written as SVG; the page lists the same in words.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    /// The first one is the version that the page is about.
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    /// How many more there are than are drawn.
    pub(crate) more: u64,
}

const WIDTH: i64 = 232;
const HEIGHT: i64 = 50;
const ACROSS: i64 = 72;
const DOWN: i64 = 14;
/// Characters that fit in a box at the size of the stylesheet.
const NAME: usize = 27;
const DETAIL: usize = 34;

impl Graph {
    /// Whether there is anything but the version itself.
    pub(crate) fn is_alone(&self) -> bool {
        self.nodes.len() < 2
    }

    /// Upper left corner of each node, and the size of the whole.
    fn layout(&self) -> (Vec<(i64, i64)>, i64, i64) {
        let first = self.nodes.iter().map(|node| node.depth).min().unwrap_or(0);
        let last = self.nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        let columns = i64::from(last) - i64::from(first) + 1;
        let in_column = |depth: i8| self.nodes.iter().filter(|node| node.depth == depth).count();
        let tallest = (first..=last).map(in_column).max().unwrap_or(1);
        let height = rows(tallest);
        let mut next: Vec<(i8, i64)> =
            (first..=last).map(|depth| (depth, (height - rows(in_column(depth))) / 2)).collect();
        let places = self
            .nodes
            .iter()
            .map(|node| {
                let x = (i64::from(node.depth) - i64::from(first)) * (WIDTH + ACROSS);
                let slot = next.iter_mut().find(|(depth, _)| *depth == node.depth);
                let y = slot.map_or(0, |(_, y)| std::mem::replace(y, *y + HEIGHT + DOWN));
                (x + 1, y + 1)
            })
            .collect();
        (places, columns * WIDTH + (columns - 1) * ACROSS + 2, height + 2)
    }
}

fn rows(count: usize) -> i64 {
    let count = i64::try_from(count).unwrap_or(i64::MAX / 128);
    count * HEIGHT + (count - 1).max(0) * DOWN
}

/// At most `most` characters, the end shown as cut.
fn cut(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (places, width, height) = self.layout();
        write!(
            f,
            r#"<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="Lineage, listed in words below">"#
        )?;
        for edge in &self.edges {
            let (Some((x1, y1)), Some((x2, y2))) = (places.get(edge.from), places.get(edge.to)) else {
                continue;
            };
            let (x1, y1, x2, y2) = (x1 + WIDTH, y1 + HEIGHT / 2, x2 - 7, y2 + HEIGHT / 2);
            let middle = (x1 + x2) / 2;
            write!(f, r#"<path class="edge" d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"/>"#)?;
            write!(f, r#"<path class="head" d="M{} {y2}l-7-4v8z"/>"#, x2 + 7)?;
        }
        for (at, (node, (x, y))) in self.nodes.iter().zip(&places).enumerate() {
            let class = if at == 0 { "node here" } else { "node" };
            let linked = at > 0 && !node.href.is_empty();
            if linked {
                write!(f, r#"<a href="{}">"#, Escaped(&node.href))?;
            }
            write!(
                f,
                r#"<g class="{class}" transform="translate({x} {y})"><title>{}</title>"#,
                Escaped(&node.name)
            )?;
            write!(f, r#"<rect width="{WIDTH}" height="{HEIGHT}" rx="3"/>"#)?;
            write!(
                f,
                r#"<g class="sign {}" transform="translate(10 9)">{}</g>"#,
                node.mark.class(),
                node.mark.tone.drawing()
            )?;
            write!(f, r#"<text x="34" y="21">{}</text>"#, Escaped(&cut(&node.name, NAME)))?;
            let detail = format!("{}, {}", node.mark.word, node.detail);
            write!(f, r#"<text class="by" x="34" y="38">{}</text></g>"#, Escaped(&cut(&detail, DETAIL)))?;
            if linked {
                f.write_str("</a>")?;
            }
        }
        f.write_str("</svg>")
    }
}

impl askama::filters::HtmlSafe for Graph {}
