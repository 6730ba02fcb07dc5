//! Refuses Python nested deeper than CPython itself reads, before a parser has to.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer::lex};

/// Brackets within brackets; CPython allows 200.
const MAX_BRACKETS: usize = 100;
/// Blocks within blocks; CPython allows 100.
const MAX_INDENT: usize = 100;
/// Operators, calls and attributes that build on one another in a line; CPython gives up at a few thousand.
const MAX_CHAIN: usize = 1500;

/// Whether the nesting of `text` is within bounds. Counts more rather than less.
pub(super) fn is_shallow(text: &str) -> bool {
    let mut lexer = lex(text, Mode::Module);
    let mut indent = 0_usize;
    // For each open bracket: what its current element builds on.
    let mut chains = vec![0_usize];
    let mut total = 0_usize;
    let mut sticky = 0_usize;
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return true,
            TokenKind::Indent => indent += 1,
            TokenKind::Dedent => indent = indent.saturating_sub(1),
            TokenKind::Newline => {
                chains.clear();
                chains.push(0);
                (total, sticky) = (0, 0);
            }
            TokenKind::Comma => {
                if let Some(chain) = chains.last_mut() {
                    total = total.saturating_sub(*chain);
                    *chain = 0;
                }
            }
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                if let Some(chain) = chains.last_mut() {
                    *chain += 1;
                }
                total += 1;
                chains.push(0);
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                if chains.len() > 1 {
                    total = total.saturating_sub(chains.pop().unwrap_or(0));
                }
            }
            // Their parts may hold commas and still nest.
            TokenKind::Lambda | TokenKind::If | TokenKind::Else | TokenKind::Yield => sticky += 1,
            TokenKind::Name
            | TokenKind::String
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            _ => {
                if let Some(chain) = chains.last_mut() {
                    *chain += 1;
                }
                total += 1;
            }
        }
        if chains.len() > MAX_BRACKETS || indent > MAX_INDENT || total + sticky > MAX_CHAIN {
            return false;
        }
    }
}
