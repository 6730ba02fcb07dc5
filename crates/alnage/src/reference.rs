//! What is generated from the command line's grammar: completions, the man page, the reference page.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};

use crate::{args::Arguments, output};

/// Prints completions for `shell`.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "alnage", &mut bytes);
    Ok(output::print_with(|out| out.write_all(&bytes))?)
}

/// Prints the man page.
pub(crate) fn man() -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut bytes)?;
    Ok(output::print_with(|out| out.write_all(&bytes))?)
}

/// The reference of the command line, `docs/cli.md`.
pub fn cli_markdown() -> String {
    let mut root = Arguments::command();
    root.build();
    let mut page = String::from("# Command line\n\n");
    let about = root.get_long_about().or(root.get_about()).map(ToString::to_string).unwrap_or_default();
    let after = root.get_after_help().map(ToString::to_string).unwrap_or_default();
    let _ = write!(page, "{about}\n\n{after}\n");
    let mut waiting: Vec<(String, &Command)> = vec![("alnage".into(), &root)];
    while let Some((name, command)) = waiting.pop() {
        if command.get_name() != "alnage" {
            section(&mut page, &name, command);
        }
        let below: Vec<_> = command.get_subcommands().filter(|below| below.get_name() != "help").collect();
        waiting.extend(below.into_iter().rev().map(|below| (format!("{name} {}", below.get_name()), below)));
    }
    page
}

fn section(page: &mut String, name: &str, command: &Command) {
    let about = command.get_long_about().or(command.get_about());
    let _ = write!(page, "\n## `{name}`\n\n{}.\n", about.map(ToString::to_string).unwrap_or_default());
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| {
            !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
        })
        .collect();
    if arguments.is_empty() {
        return;
    }
    page.push_str("\n| argument | meaning |\n|---|---|\n");
    for argument in arguments {
        let _ = writeln!(page, "| {} | {} |", spelled(argument), meaning(argument));
    }
}

fn spelled(argument: &Arg) -> String {
    let value = argument.get_value_names().map(|names| names.join(" ")).filter(|_| takes_value(argument));
    let value = value.unwrap_or_default();
    match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("`-{short}`, `{}`", format!("--{long} {value}").trim_end()),
        (None, Some(long)) => format!("`{}`", format!("--{long} {value}").trim_end()),
        _ => format!("`{value}`"),
    }
}

fn takes_value(argument: &Arg) -> bool {
    argument.get_action().takes_values()
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_value(argument))
        .map(|choice| format!("`{}`", choice.get_name()))
        .collect();
    if !choices.is_empty() && choices.len() < 8 {
        let _ = write!(text, ": {}", choices.join(", "));
    }
    text.replace('|', "\\|")
}
