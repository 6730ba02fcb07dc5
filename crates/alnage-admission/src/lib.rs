//! What a Kubernetes object would load, and the answer to its admission review.
//!
//! An object goes one way: [`read`] says which models it would load, [`decide`] asks somebody who knows them and weighs
//! the answers, [`Review`] and [`Answer`] are how the API server of Kubernetes asks and is answered. What each kind of
//! object and each program says of its models is data: `data/extractors.json`.

mod decision;
mod environment;
mod external;
mod object;
mod origin;
mod patch;
mod pod;
mod pointer;
mod program;
mod python;
mod ray;
mod reading;
mod review;
mod rules;
mod shell;
mod table;
mod words;
mod yaml;

pub use decision::{Decision, Judged, Known, Standing, decide};
pub use external::{Asked, Provided, asked, keys_of, provider_response, refusal};
pub use object::{read, read_changed};
pub use origin::{Origin, Pin, Reference, Role};
pub use patch::{Change, changes};
pub use reading::{Code, Endpoint, Fetcher, Finding, Loads};
pub use review::{Answer, Malformed, Operation, Review, Subject};
pub use rules::{Effect, Rules};
pub use table::{Table, TableError};
pub use yaml::{Document, YamlError, documents};
