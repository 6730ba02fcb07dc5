//! Where a model comes from: every spelling that Kubernetes objects use, brought to one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum Origin {
    /// A repository on the Hugging Face Hub, or on a registry that speaks its protocol.
    Hub {
        /// `org/name`, or one segment.
        repo: String,
        /// A commit, branch or tag.
        revision: Option<String>,
        /// One file or quantisation of it.
        part: Option<String>,
    },
    /// An OCI artifact or image that holds a model.
    Image {
        /// Registry and repository.
        name: String,
        /// Its tag.
        tag: Option<String>,
        /// Its digest, `sha256:…`.
        digest: Option<String>,
    },
    /// A name that Ollama pulls.
    Ollama {
        /// `host/namespace/name`, or less.
        name: String,
        /// What stands behind the colon.
        tag: Option<String>,
    },
    /// A name in the catalogue of a product: Kaito, NIM, ModelScope.
    Catalogue {
        /// Whose catalogue.
        of: String,
        /// The name.
        name: String,
    },
    /// An address: an object store, a web server, a repository of git.
    Address {
        /// As written.
        uri: String,
    },
    /// A persistent volume claim.
    Claim {
        /// Its name.
        claim: String,
        /// The path in it.
        path: String,
    },
    /// A directory of the node.
    Host {
        /// The path.
        path: String,
    },
    /// Another volume, or storage that only the cluster knows.
    Volume {
        /// What kind: `nfs`, `csi`.
        of: String,
        /// Its name or address.
        name: String,
    },
    /// A path inside a container's own image.
    Baked {
        /// The image.
        image: String,
        /// The path in it.
        path: String,
    },
    /// Nobody can tell from the object: it depends on what the object does not hold.
    Unresolved {
        /// Why.
        why: String,
    },
}

/// What a model is loaded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The model.
    Model,
    /// An adapter over it.
    Adapter,
    /// A tokenizer, configuration or processor of its own.
    Part,
    /// The small model of speculative decoding.
    Draft,
}

/// A model that an object names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// Where it comes from.
    pub origin: Origin,
    /// What it is loaded as.
    pub role: Role,
    /// As the object spells it.
    pub written: String,
    /// A JSON pointer to where it stands.
    pub at: String,
    /// Whether it is certainly loaded. What only may be is refused when it is known to be bad, and otherwise let through.
    pub certain: bool,
    /// Whether it is verified when it is loaded, by `alnage run`.
    pub gated: bool,
    /// Whether the way it is loaded has a way to pin it.
    pub pinnable: bool,
    /// How it could be pinned by a change of the object.
    #[serde(skip)]
    pub pin: Option<Pin>,
}

/// How a change of the object pins a reference to a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// The string at the reference takes the commit behind this separator.
    Suffix(char),
    /// This flag and the commit are appended to the array at `array`.
    Append {
        /// Where the array is.
        array: String,
        /// The flag.
        flag: String,
    },
    /// The string at `at` becomes `prefix` and the commit.
    Replace {
        /// Where the string is.
        at: String,
        /// What stands before the commit.
        prefix: String,
    },
    /// The variable `name` of the container takes the commit.
    Variable {
        /// Where the container is.
        container: String,
        /// The variable's name.
        name: String,
        /// Where its value stands, if it is there.
        value: Option<String>,
        /// Whether the container has a list of variables.
        has_variables: bool,
    },
}

impl Origin {
    /// Whether it names content that cannot change: a commit or a digest.
    #[must_use]
    pub fn pinned(&self) -> bool {
        match self {
            Self::Hub { revision, .. } => revision.as_deref().is_some_and(is_commit),
            Self::Image { digest, .. } => digest.is_some(),
            Self::Ollama { tag, .. } => tag.as_deref().is_some_and(|tag| tag.starts_with("sha256-")),
            Self::Baked { image, .. } => matches!(Self::image(image), Self::Image { digest: Some(_), .. }),
            _ => false,
        }
    }

    /// The repository named `text`: `org/name`, `org/name@revision`, `org/name:revision`.
    #[must_use]
    pub fn hub(text: &str) -> Option<Self> {
        let (repo, revision) = match text.split_once(['@', ':']) {
            Some((repo, revision)) if !revision.is_empty() => (repo, Some(revision.to_owned())),
            Some(_) => return None,
            None => (text, None),
        };
        is_repo(repo).then(|| Self::Hub { repo: repo.to_owned(), revision, part: None })
    }

    /// The repository named `text` as llama.cpp and Ollama spell it: what stands behind the colon is a quantisation.
    #[must_use]
    pub fn hub_part(text: &str) -> Option<Self> {
        let (repo, part) = match text.split_once(':') {
            Some((repo, part)) => (repo, Some(part.to_owned())),
            None => (text, None),
        };
        is_repo(repo).then(|| Self::Hub { repo: repo.to_owned(), revision: None, part })
    }

    /// The OCI artifact or image named `text`.
    #[must_use]
    pub fn image(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if digest.contains(':') => (rest, Some(digest.to_owned())),
            _ => (text, None),
        };
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest.get(last..).and_then(|name| name.rfind(':')) {
            Some(colon) => (rest.get(..last + colon).unwrap_or(rest), rest.get(last + colon + 1..)),
            None => (rest, None),
        };
        Self::Image { name: name.to_owned(), tag: tag.map(str::to_owned), digest }
    }

    /// The model that Ollama calls `text`.
    #[must_use]
    pub fn ollama(text: &str) -> Self {
        let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("ollama://")).unwrap_or(text);
        for host in ["hf.co/", "huggingface.co/"] {
            if let Some(hub) = text.strip_prefix(host).and_then(Self::hub_part) {
                return hub;
            }
        }
        let last = text.rfind('/').map_or(0, |slash| slash + 1);
        match text.get(last..).and_then(|name| name.find(':')) {
            Some(colon) => Self::Ollama {
                name: text.get(..last + colon).unwrap_or(text).to_owned(),
                tag: text.get(last + colon + 1..).map(str::to_owned),
            },
            None => Self::Ollama { name: text.to_owned(), tag: None },
        }
    }

    /// What an address says: `hf://…`, `s3://…`, `oci://…`, `pvc://…`, a page of the Hub. None without a scheme.
    #[must_use]
    pub fn address(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let rest = rest.trim_end_matches('/');
        let scheme = scheme.to_ascii_lowercase();
        if scheme.is_empty()
            || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return None;
        }
        Some(match scheme.as_str() {
            "hf" | "huggingface" | "hf-hub" => Self::hub_address(rest)?,
            "oci" | "oci+native" | "oci+fetch" | "modelpack" | "docker" => Self::image(rest),
            "ollama" => Self::ollama(rest),
            "modelscope" | "ms" => Self::Catalogue { of: "modelscope".to_owned(), name: rest.to_owned() },
            "ngc" | "nim" => Self::Catalogue { of: "ngc".to_owned(), name: rest.to_owned() },
            "pvc" => {
                let (claim, path) = rest.split_once('/').unwrap_or((rest, ""));
                Self::Claim { claim: claim.to_owned(), path: path.split('?').next().unwrap_or("").to_owned() }
            }
            "host" | "hostpath" => Self::Host { path: format!("/{}", rest.trim_start_matches('/')) },
            "http" | "https" => Self::page(rest).unwrap_or_else(|| Self::Address { uri: text.to_owned() }),
            "file" => Self::Host { path: rest.to_owned() },
            _ => Self::Address { uri: text.to_owned() },
        })
    }

    /// A key that somebody asks by, in a policy: an address, a repository, or an image with its digest.
    #[must_use]
    pub fn key(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::address(text).or_else(|| Self::hub(text)).or_else(|| {
            let image = Self::image(text);
            matches!(&image, Self::Image { name, .. } if name.contains('/') && !name.contains(char::is_whitespace))
                .then_some(image)
        })
    }

    /// `org/name[/file…][:revision|@revision|?revision=…]`, behind `hf://`.
    fn hub_address(rest: &str) -> Option<Self> {
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("revision="));
        let rest = rest.strip_prefix("models/").unwrap_or(rest);
        let (path, revision) = match rest.split_once(['@', ':']) {
            // `hf://org/name@revision/file`, as its file system spells it.
            Some((path, behind)) => {
                let (revision, file) = behind.split_once('/').unwrap_or((behind, ""));
                let path = if file.is_empty() { path.to_owned() } else { format!("{path}/{file}") };
                (path, Some(revision.to_owned()))
            }
            None => (rest.to_owned(), None),
        };
        let revision = asked.map(str::to_owned).or(revision).filter(|revision| !revision.is_empty());
        let mut segments = path.splitn(3, '/');
        let (first, second) = (segments.next()?, segments.next());
        let part = segments.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let repo = second.map_or_else(|| first.to_owned(), |second| format!("{first}/{second}"));
        is_repo(&repo).then_some(Self::Hub { repo, revision, part })
    }

    /// A page of the Hub: `huggingface.co/org/name[/(resolve|tree|blob|raw)/revision[/file]]`.
    fn page(rest: &str) -> Option<Self> {
        let (host, path) = rest.split_once('/')?;
        let host = host.to_ascii_lowercase();
        let of_hub =
            ["huggingface.co", "www.huggingface.co", "hf.co", "hf-mirror.com"].contains(&host.as_str());
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let segments: Vec<&str> = path.splitn(6, '/').filter(|segment| !segment.is_empty()).collect();
        let verb = segments.iter().position(|part| ["resolve", "tree", "blob", "raw"].contains(part));
        let names = match verb {
            Some(verb @ 1..=2) => segments.get(..verb)?,
            _ if of_hub => segments.get(..segments.len().min(2))?,
            _ => return None,
        };
        let not_models = ["datasets", "spaces", "api", "docs", "collections", "blog"];
        // Elsewhere only the address of a file has the shape of the Hub's.
        if names.first().is_some_and(|first| not_models.contains(first))
            || !of_hub && verb.and_then(|verb| segments.get(verb)) != Some(&"resolve")
        {
            return None;
        }
        let repo = names.join("/");
        let repo = repo.strip_suffix(".git").unwrap_or(&repo);
        let revision = verb.and_then(|verb| segments.get(verb + 1)).map(|&revision| revision.to_owned());
        let part = verb.and_then(|verb| segments.get(verb + 2..)).filter(|part| !part.is_empty());
        let part = part.map(|part| part.join("/"));
        is_repo(repo).then(|| Self::Hub { repo: repo.to_owned(), revision, part })
    }
}

/// One spelling for each, which [`Origin::key`] reads again where the registry can be asked.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub { repo, revision, part } => {
                write!(formatter, "hf://{repo}")?;
                if let Some(revision) = revision {
                    write!(formatter, "@{revision}")?;
                }
                part.as_ref().map_or(Ok(()), |part| write!(formatter, " ({part})"))
            }
            Self::Image { name, tag, digest } => {
                write!(formatter, "oci://{name}")?;
                if let Some(tag) = tag {
                    write!(formatter, ":{tag}")?;
                }
                digest.as_ref().map_or(Ok(()), |digest| write!(formatter, "@{digest}"))
            }
            Self::Ollama { name, tag } => {
                write!(formatter, "ollama://{name}")?;
                tag.as_ref().map_or(Ok(()), |tag| write!(formatter, ":{tag}"))
            }
            Self::Catalogue { of, name } => write!(formatter, "{of}://{name}"),
            Self::Address { uri } => formatter.write_str(uri),
            Self::Claim { claim, path } if path.is_empty() => write!(formatter, "pvc://{claim}"),
            Self::Claim { claim, path } => write!(formatter, "pvc://{claim}/{path}"),
            Self::Host { path } => write!(formatter, "hostpath://{path}"),
            Self::Volume { of, name } => write!(formatter, "{of}://{name}"),
            Self::Baked { image, path } => write!(formatter, "`{path}` in the image {image}"),
            Self::Unresolved { why } => formatter.write_str(why),
        }
    }
}

/// Whether `revision` is a commit.
pub(crate) fn is_commit(revision: &str) -> bool {
    matches!(revision.len(), 40 | 64)
        && revision.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether `text` can be the name of a repository: one or two segments.
pub(crate) fn is_repo(text: &str) -> bool {
    let mut segments = text.split('/');
    let fits = |segment: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=96).contains(&segment.len())
            && segment.bytes().all(inner)
            && segment.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
            && !segment.contains("..")
    };
    segments.next().is_some_and(fits) && segments.next().is_none_or(fits) && segments.next().is_none()
}
