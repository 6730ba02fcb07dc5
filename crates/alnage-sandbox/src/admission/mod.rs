//! Who gets in: what a file holds, which seal covers it, and what the policy says of that. Nothing here knows how the
//! file came to be opened, so that any gate can ask.

mod content;
mod formats;
mod gate;
mod opened;
mod places;
mod records;

pub use content::Content;
pub use formats::{FormatPolicy, UnknownFormat};
pub use gate::{Admission, Gate, Judgement, Refusal, Trust, UnsignedFiles};
pub use opened::{open, open_again};
pub use places::Places;
pub use records::{Records, Vouching};
