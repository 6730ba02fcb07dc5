//! The grammar of serving a registry.

use clap::Args;

/// Where a registry keeps what it keeps, and where models come from. Each flag may also stand in the table `[serve]` of
/// `alnage.toml`, or in the environment as `ALNAGE_SERVE_` and its name.
#[derive(Debug, Default, Args)]
pub(crate) struct PlaceArgs {
    /// The directory for records, models and what is under way
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// Records in PostgreSQL, for any number of servers: `postgres://user:password@host/name`
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Models in S3-compatible storage: `s3://bucket/prefix?endpoint=https://…&region=…`; the credentials are those of
    /// the environment, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The hub that unknown models are pulled from; `https://huggingface.co` when left out
    #[arg(long, value_name = "URL", conflicts_with = "offline")]
    pub(crate) upstream: Option<String>,
    /// Pull from nowhere: there is what was uploaded
    #[arg(long)]
    pub(crate) offline: bool,
    /// A file with the token that the upstream hub is asked with
    #[arg(long, value_name = "FILE")]
    pub(crate) upstream_token_file: Option<String>,
    /// Further hosts of the upstream, as URLs separated by commas, that bytes may come from although they are inside a
    /// network
    #[arg(long, value_name = "URLS")]
    pub(crate) upstream_hosts: Option<String>,
    /// Receivers of notices, as URLs separated by commas, that may be inside a network or without TLS. A registry that only
    /// this machine reaches also tells others on it
    #[arg(long, value_name = "URLS")]
    pub(crate) webhook_hosts: Option<String>,
    /// Authorities to trust in place of those of the web, PEM: for the upstream and for identity providers
    #[arg(long, value_name = "FILE")]
    pub(crate) roots: Option<String>,
    /// What decides: the name of a shipped pack (`alnage policy list`), or a directory with one
    #[arg(long, value_name = "PACK")]
    pub(crate) policy: Option<String>,
    /// How many have to approve, apart from who asks; 1 when left out
    #[arg(long, value_name = "N")]
    pub(crate) votes: Option<String>,
    /// Public keys whose signatures over models count: PEM files, separated by commas
    #[arg(long, value_name = "FILES")]
    pub(crate) trusted_keys: Option<String>,
    /// Whose signatures over models count besides, by certificate or keyless: a trust file, as `alnage verify --trust` takes it
    #[arg(long, value_name = "FILE")]
    pub(crate) signer_trust: Option<String>,
    /// The name of the transparency log: like a URL without its scheme
    #[arg(long, value_name = "NAME")]
    pub(crate) log_origin: Option<String>,
    /// How clients reach the server: `https://models.example.org`
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; `127.0.0.1:8080` when left out. Only this machine reaches a loopback address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Whether those without a token may download what is allowed: `true` or `false`; `true` when left out and only this
    /// machine reaches the server
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) anonymous_read: Option<String>,
    /// Threads that pull and scan; 0 leaves that to `alnage worker`
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<String>,
    /// The certificate and what vouches for it, PEM, read again when it changes; plain HTTP when left out
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<String>,
    /// The private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<String>,
    /// A file with the token of the first account, `hf_` and 40 letters and digits, instead of a new one that is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_token_file: Option<String>,
    /// The identity provider that people sign in at: its issuer, `https://id.example.org`
    #[arg(long, value_name = "URL", help_heading = "Signing in", requires = "oidc_client_id")]
    pub(crate) oidc_issuer: Option<String>,
    /// What this server is called there
    #[arg(long, value_name = "ID", help_heading = "Signing in")]
    pub(crate) oidc_client_id: Option<String>,
    /// A file with what it proves that with
    #[arg(long, value_name = "FILE", help_heading = "Signing in")]
    pub(crate) oidc_client_secret_file: Option<String>,
    /// The claim that names groups; `groups` when left out
    #[arg(long, value_name = "CLAIM", help_heading = "Signing in")]
    pub(crate) oidc_groups: Option<String>,
    /// What the members of groups may do, separated by commas: `ml-team=acme:publisher,risk=reviewer`
    #[arg(long, value_name = "ROLES", help_heading = "Signing in")]
    pub(crate) oidc_roles: Option<String>,
    /// What everybody may do who signs in, separated by commas: `viewer`
    #[arg(long, value_name = "ROLES", help_heading = "Signing in")]
    pub(crate) oidc_everybody: Option<String>,
    /// Whose identities of programs count, and for what: a JSON file (docs/serve.md)
    #[arg(long, value_name = "FILE", help_heading = "Signing in")]
    pub(crate) trust: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Threads; one for each processor when left out
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<String>,
}

/// The name of each setting of `[serve]` with what a flag says.
pub(crate) type Given<'a> = Vec<(&'static str, Option<&'a str>)>;

impl PlaceArgs {
    pub(crate) fn given(&self) -> Given<'_> {
        vec![
            ("data", self.data.as_deref()),
            ("database", self.database.as_deref()),
            ("store", self.store.as_deref()),
            ("upstream", self.upstream.as_deref()),
            ("offline", self.offline.then_some("true")),
            ("upstream-token-file", self.upstream_token_file.as_deref()),
            ("upstream-hosts", self.upstream_hosts.as_deref()),
            ("webhook-hosts", self.webhook_hosts.as_deref()),
            ("roots", self.roots.as_deref()),
            ("policy", self.policy.as_deref()),
            ("votes", self.votes.as_deref()),
            ("trusted-keys", self.trusted_keys.as_deref()),
            ("signer-trust", self.signer_trust.as_deref()),
            ("log-origin", self.log_origin.as_deref()),
            ("public-url", self.public_url.as_deref()),
        ]
    }
}

impl ServeArgs {
    pub(crate) fn given(&self) -> Given<'_> {
        let mut given = self.place.given();
        given.extend([
            ("listen", self.listen.as_deref()),
            ("anonymous-read", self.anonymous_read.as_deref()),
            ("workers", self.workers.as_deref()),
            ("tls-cert", self.tls_cert.as_deref()),
            ("tls-key", self.tls_key.as_deref()),
            ("admin-token-file", self.admin_token_file.as_deref()),
            ("oidc-issuer", self.oidc_issuer.as_deref()),
            ("oidc-client-id", self.oidc_client_id.as_deref()),
            ("oidc-client-secret-file", self.oidc_client_secret_file.as_deref()),
            ("oidc-groups", self.oidc_groups.as_deref()),
            ("oidc-roles", self.oidc_roles.as_deref()),
            ("oidc-everybody", self.oidc_everybody.as_deref()),
            ("trust", self.trust.as_deref()),
        ]);
        given
    }
}

impl WorkerArgs {
    pub(crate) fn given(&self) -> Given<'_> {
        let mut given = self.place.given();
        given.push(("workers", self.workers.as_deref()));
        given
    }
}
