//! What a template does, block by block: which names it binds, what it computes, writes and loads.

use super::{
    lexer::{Block, BlockKind},
    parser::{Arena, Node, NodeId, ParseError, Parser},
};

/// One effect of a block, in the order of the template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// A name gets this value; without one it gets something that only rendering knows.
    Bind(String, Option<NodeId>),
    /// Written out.
    Output(NodeId),
    /// Decides whether what follows is written.
    Condition(NodeId),
    /// Computed for anything else.
    Use(NodeId),
    /// Another template is loaded: by `include`, `import`, `from` or `extends`.
    Load(String),
}

/// A block's steps and the nodes that were made for them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    pub(super) steps: Vec<Step>,
    /// The nodes of this statement are those before this one that belong to no earlier statement.
    pub(super) nodes_end: NodeId,
    /// Where the block begins.
    pub(super) start: usize,
    /// Where the block ends, and the plain text after it.
    pub(super) text: (usize, usize),
}

/// The statements of `blocks`, and the first place that is no Jinja.
pub(super) fn statements(blocks: &[Block], arena: &mut Arena) -> (Vec<Statement>, Option<ParseError>) {
    let mut statements = Vec::with_capacity(blocks.len());
    let mut first_error = None;
    for block in blocks {
        let mut parser = Parser::new(arena, &block.tokens);
        let mut steps = Vec::new();
        let read = match block.kind {
            BlockKind::Output => output(&mut parser, &mut steps),
            BlockKind::Tag => tag(&mut parser, &mut steps),
        };
        let read = read.and_then(|()| if parser.is_at_end() { Ok(()) } else { Err(parser.error()) });
        if let Err(error) = read {
            let offset = error.offset.max(block.start);
            first_error.get_or_insert(ParseError { offset });
        }
        let (nodes_end, text) = (arena.nodes.len(), (block.end, block.text_end));
        statements.push(Statement { steps, nodes_end, start: block.start, text });
    }
    (statements, first_error)
}

fn output(parser: &mut Parser<'_>, steps: &mut Vec<Step>) -> Result<(), ParseError> {
    if !parser.is_at_end() {
        let value = parser.tuple()?;
        steps.push(Step::Output(value));
    }
    Ok(())
}

fn tag(parser: &mut Parser<'_>, steps: &mut Vec<Step>) -> Result<(), ParseError> {
    if parser.is_at_end() {
        return Ok(());
    }
    let name = parser.take_name()?;
    match name {
        "if" | "elif" => {
            let value = parser.tuple()?;
            steps.push(Step::Condition(value));
        }
        "for" => {
            targets(parser, steps)?;
            if !parser.eat_name("in") {
                return Err(parser.error());
            }
            let value = loop_values(parser)?;
            steps.push(Step::Use(value));
            if parser.eat_name("if") {
                let condition = parser.expression()?;
                steps.push(Step::Use(condition));
            }
            parser.eat_name("recursive");
        }
        "set" => set(parser, steps)?,
        "with" => {
            while !parser.is_at_end() {
                let target = parser.take_name()?.to_owned();
                if !parser.eat_operator("=") {
                    return Err(parser.error());
                }
                let value = parser.expression()?;
                steps.push(Step::Bind(target, Some(value)));
                parser.eat_operator(",");
            }
        }
        "macro" => {
            let name = parser.take_name()?.to_owned();
            steps.push(Step::Bind(name, None));
            parameters(parser, steps)?;
        }
        "call" => {
            if parser.operator() == Some("(") {
                parameters(parser, steps)?;
            }
            let value = parser.expression()?;
            steps.push(Step::Use(value));
        }
        "filter" => {
            let body = parser.arena().push(Node::Body, (0, 0));
            let (name, arguments) = parser.filter()?;
            let filtered = parser.arena().push(Node::Filter(body, name, arguments), (0, 0));
            let filtered = parser.filters(filtered, 0)?;
            steps.push(Step::Output(filtered));
        }
        "include" | "import" | "from" | "extends" => {
            steps.push(Step::Load(name.to_owned()));
            let value = parser.expression()?;
            steps.push(Step::Use(value));
            // `import x as y`, `with context`, `ignore missing`: the names that get bound.
            while let Ok(word) = parser.take_name() {
                if !matches!(word, "as" | "import" | "with" | "without" | "context" | "ignore" | "missing") {
                    steps.push(Step::Bind(word.to_owned(), None));
                }
                parser.eat_operator(",");
            }
        }
        "block" => {
            parser.take_name()?;
            parser.eat_name("scoped");
            parser.eat_name("required");
        }
        "autoescape" | "do" => {
            let value = parser.tuple()?;
            steps.push(Step::Use(value));
        }
        "endblock" => {
            let _ = parser.take_name();
        }
        // `else`, `endif`, `generation`, `break`, … say nothing more; what an unknown tag says is still looked at.
        _ => {
            while !parser.is_at_end() {
                let value = parser.tuple()?;
                steps.push(Step::Use(value));
                parser.eat_operator("=");
            }
        }
    }
    Ok(())
}

/// What a `for` runs over: no conditional expression, since `if` filters here.
fn loop_values(parser: &mut Parser<'_>) -> Result<NodeId, ParseError> {
    let first = parser.expression_without_condition()?;
    if parser.operator() != Some(",") {
        return Ok(first);
    }
    let mut items = vec![first];
    while parser.eat_operator(",") {
        items.push(parser.expression_without_condition()?);
    }
    Ok(parser.arena().push(Node::List(items), (0, 0)))
}

fn targets(parser: &mut Parser<'_>, steps: &mut Vec<Step>) -> Result<(), ParseError> {
    loop {
        if parser.eat_operator("(") || parser.eat_operator(")") || parser.eat_operator(",") {
            continue;
        }
        match parser.name() {
            Some(name) if name != "in" => {
                steps.push(Step::Bind(name.to_owned(), None));
                parser.take_name()?;
            }
            _ => return Ok(()),
        }
    }
}

fn set(parser: &mut Parser<'_>, steps: &mut Vec<Step>) -> Result<(), ParseError> {
    let mut names = Vec::new();
    loop {
        while parser.eat_operator("(") {}
        let mut name = parser.take_name()?.to_owned();
        while parser.eat_operator(".") {
            name.push('.');
            name.push_str(parser.take_name()?);
        }
        names.push(name);
        while parser.eat_operator(")") {}
        if !parser.eat_operator(",") {
            break;
        }
    }
    if parser.eat_operator("=") {
        let value = parser.tuple()?;
        match names.as_slice() {
            [name] => steps.push(Step::Bind(name.clone(), Some(value))),
            _ => {
                steps.push(Step::Use(value));
                steps.extend(names.into_iter().map(|name| Step::Bind(name, None)));
            }
        }
        return Ok(());
    }
    // A block: the value is what the body writes, possibly filtered.
    let body = parser.arena().push(Node::Body, (0, 0));
    let value = parser.filters(body, 0)?;
    steps.push(Step::Use(value));
    steps.extend(names.into_iter().map(|name| Step::Bind(name, None)));
    Ok(())
}

fn parameters(parser: &mut Parser<'_>, steps: &mut Vec<Step>) -> Result<(), ParseError> {
    if !parser.eat_operator("(") {
        return Err(parser.error());
    }
    while !parser.eat_operator(")") {
        let name = parser.take_name()?.to_owned();
        steps.push(Step::Bind(name, None));
        if parser.eat_operator("=") {
            let value = parser.expression()?;
            steps.push(Step::Use(value));
        }
        if !parser.eat_operator(",") && parser.operator() != Some(")") {
            return Err(parser.error());
        }
    }
    Ok(())
}
