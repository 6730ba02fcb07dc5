//! What a Python callable can do, out of the scanner's tables.

use alnage_scan::capability::{self, Class, Role, danger_when_called, describe};
use pyo3::pyfunction;

/// The class of `module.name` and a sentence why. The class is `constructor`, `class`, `reference`, `by-arguments`,
/// `dangerous` or `unknown`; what is only safe uncalled and is dangerous when called is `uncalled`.
#[pyfunction]
#[pyo3(signature = (module, name, /))]
pub(crate) fn classify(module: &str, name: &str) -> (&'static str, String) {
    match capability::classify(module, name) {
        Class::Dangerous(danger) => {
            ("dangerous", format!("{} (known from: {})", describe(danger.sink), danger.source))
        }
        Class::Unknown => ("unknown", "nobody has classed it".to_owned()),
        Class::Safe(Role::Constructor) => ("constructor", "it builds plain data".to_owned()),
        Class::Safe(Role::ByArguments) => {
            ("by-arguments", "it is harmless with some arguments only".to_owned())
        }
        Class::Safe(role @ (Role::Class | Role::Reference)) => match danger_when_called(module, name) {
            Some(danger) => ("uncalled", format!("when it is called, it {}", describe(danger.sink))),
            None if role == Role::Class => ("class", "its instances are made without its code".to_owned()),
            None => ("reference", "it is harmless as a value".to_owned()),
        },
    }
}
