//! A registry by the names of organisations.

use alnage_admission::{Known, Origin, Standing};

/// The commit of everything that it has.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A registry that approved everything but what `README.md` beside the objects names.
pub(crate) struct Shelf;

impl Known for Shelf {
    fn ask(&self, origin: &Origin) -> Standing {
        let approved = Standing::Approved {
            commit: Some(COMMIT.to_owned()),
            digest: None,
            sealed: None,
            conditions: Vec::new(),
        };
        let owner = |name: &str| match name.split('/').next().unwrap_or_default() {
            "evil" | "evil.example" => Standing::Denied { reason: "a pickle starts a program".to_owned() },
            "recalled" => Standing::Recalled { reason: "it was poisoned".to_owned() },
            "nobody" => Standing::Unknown,
            _ => approved.clone(),
        };
        match origin {
            Origin::Hub { repo, .. } => owner(repo),
            Origin::Image { name, .. }
                if name.starts_with("registry.example/") || name.starts_with("evil") =>
            {
                owner(name)
            }
            Origin::Address { uri } if uri.starts_with("s3://approved/") => approved,
            Origin::Catalogue { name, .. } if name == "phi-4-mini-instruct" => approved,
            _ => Standing::Unknown,
        }
    }
}
