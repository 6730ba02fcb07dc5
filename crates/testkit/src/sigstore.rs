//! A Sigstore of one's own: an authority, a log of certificates and a log of signatures, and what they would give out.

use alnage_types::{
    Digest,
    merkle::{leaf_hash, node_hash},
};
use base64ct::{Base64, Encoding as _};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, SanType};
use serde_json::{Value, json};

use crate::pki::{Key, Made, authority, leaf};

/// When everything here is signed, unless a test wants otherwise: 2026-11-01T00:00:00Z.
pub const SIGNED: u64 = 1_793_491_200;

const OPEN: &str = "2026-01-01T00:00:00Z";

/// The authority and the logs.
pub struct Sigstore {
    /// The root of certificates.
    pub root: Made,
    /// What issues certificates.
    pub issuer: Made,
    /// The key of the log of certificates.
    pub certificate_log: Key,
    /// The key of the log of signatures.
    pub log: Key,
}

/// A signature with everything around it but its entries in logs.
pub struct Envelope {
    /// The signer.
    pub signer: Made,
    /// What was signed.
    pub payload: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Default for Sigstore {
    fn default() -> Self {
        let root = authority("sigstore root", 40, None, |_| {});
        let issuer = authority("sigstore issuer", 41, Some(&root), |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        });
        Self { root, issuer, certificate_log: Key::new(42), log: Key::new(43) }
    }
}

impl Sigstore {
    /// A trusted root that names them; `timestamps` are certificates of a timestamp authority, its own first.
    pub fn trusted_root(&self, timestamps: &[&Made]) -> Value {
        let log = |name: &str, key: &Key| {
            json!({
                "baseUrl": name,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": base64(&key.public_der()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": OPEN },
                },
                "logId": { "keyId": base64(Digest::of(&key.public_der()).as_bytes()) },
            })
        };
        let authority = |chain: &[&Made]| {
            let certificates: Vec<Value> =
                chain.iter().map(|made| json!({ "rawBytes": base64(&made.der) })).collect();
            json!({
                "subject": { "organization": "example", "commonName": "authority" },
                "uri": "https://authority.example",
                "certChain": { "certificates": certificates },
                "validFor": { "start": OPEN },
            })
        };
        let stampers = if timestamps.is_empty() { vec![] } else { vec![authority(timestamps)] };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log("https://log.example", &self.log)],
            "certificateAuthorities": [authority(&[&self.issuer, &self.root])],
            "ctlogs": [log("https://certificates.example", &self.certificate_log)],
            "timestampAuthorities": stampers,
        })
    }

    /// A certificate for `release@example.com`, known to `https://login.example`, for `change` to alter.
    pub fn certificate(&self, change: impl Fn(&mut CertificateParams)) -> Made {
        self.certificate_logged_by(&self.certificate_log, SIGNED, change)
    }

    /// The same, seen by another log or at another time.
    pub fn certificate_logged_by(
        &self,
        log: &Key,
        time: u64,
        change: impl Fn(&mut CertificateParams),
    ) -> Made {
        let make = |timestamps: Option<Vec<u8>>| {
            leaf("", 44, Some(&self.issuer), |params| {
                params.distinguished_name = rcgen::DistinguishedName::new();
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
                let name = "release@example.com".try_into().expect("an address is ASCII");
                params.subject_alt_names = vec![SanType::Rfc822Name(name)];
                params.custom_extensions = vec![provider("https://login.example")];
                change(params);
                let embedded = timestamps.map(|content| {
                    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], content)
                });
                params.custom_extensions.extend(embedded);
            })
        };
        let before = make(None);
        let mut signed = vec![0, 0];
        signed.extend_from_slice(&(time * 1000).to_be_bytes());
        signed.extend_from_slice(&[0, 1]);
        signed.extend_from_slice(Digest::of(&self.issuer.key.public_der()).as_bytes());
        let body = signed_part(&before.der);
        signed.extend_from_slice(&u32::try_from(body.len()).expect("short").to_be_bytes()[1..]);
        signed.extend_from_slice(body);
        signed.extend_from_slice(&[0, 0]);

        let mut timestamp = vec![0];
        timestamp.extend_from_slice(Digest::of(&log.public_der()).as_bytes());
        timestamp.extend_from_slice(&(time * 1000).to_be_bytes());
        timestamp.extend_from_slice(&[0, 0, 4, 3]);
        timestamp.extend(prefixed(&log.signature(&signed)));
        let list = prefixed(&prefixed(&timestamp));
        make(Some([&[4, u8::try_from(list.len()).expect("short")], list.as_slice()].concat()))
    }

    /// An in-toto statement signed by the holder of `signer`.
    pub fn envelope(&self, signer: Made, payload: &[u8]) -> Envelope {
        let signature = signer.key.signature(&encoded(payload));
        Envelope { signer, payload: payload.to_vec(), signature }
    }

    /// A keyless signature of what another bundle's signature is over.
    pub fn sign_again(&self, bundle: &str) -> Value {
        let bundle: Value = serde_json::from_str(bundle).expect("a bundle is JSON");
        let payload = bundle["dsseEnvelope"]["payload"].as_str().expect("it holds an envelope");
        let payload = Base64::decode_vec(payload).expect("its payload is base64");
        let envelope = self.envelope(self.certificate(|_| {}), &payload);
        envelope.bundle(&[self.entry(&envelope.dsse(), SIGNED)], &[])
    }

    /// An entry of the log that holds `body`: promised at `time`, and proven.
    pub fn entry(&self, body: &Value, time: u64) -> Value {
        let bytes = serde_json::to_vec(body).expect("JSON can be written");
        let id = Digest::of(&self.log.public_der());
        let promise = format!(
            r#"{{"body":"{}","integratedTime":{time},"logID":"{id}","logIndex":1000005}}"#,
            base64(&bytes)
        );
        // The sixth of seven entries.
        let other = |number: u8| leaf_hash(&[number]);
        let (zero, two) = (node_hash(&other(0), &other(1)), node_hash(&other(2), &other(3)));
        let left = node_hash(&zero, &two);
        let root = node_hash(&left, &node_hash(&node_hash(&other(4), &leaf_hash(&bytes)), &other(6)));
        let text = format!("log.example - 77\n7\n{}\n", base64(root.as_bytes()));
        let hashes: Vec<String> =
            [other(4), other(6), left].iter().map(|hash| base64(hash.as_bytes())).collect();
        let mut line = id.as_bytes()[..4].to_vec();
        line.extend(self.log.signature(text.as_bytes()));
        json!({
            "logIndex": "1000005",
            "logId": { "keyId": base64(id.as_bytes()) },
            "kindVersion": { "kind": body["kind"], "version": body["apiVersion"] },
            "integratedTime": time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": base64(&self.log.signature(promise.as_bytes())) },
            "inclusionProof": {
                "logIndex": "5",
                "rootHash": base64(root.as_bytes()),
                "treeSize": "7",
                "hashes": hashes,
                "checkpoint": { "envelope": format!("{text}\n— log.example {}\n", base64(&line)) },
            },
            "canonicalizedBody": base64(&bytes),
        })
    }

    /// The same as the second generation of the log gives it: with neither a promise nor a time.
    pub fn timeless_entry(&self, body: &Value) -> Value {
        let mut entry = self.entry(body, 0);
        entry["logIndex"] = entry["inclusionProof"]["logIndex"].clone();
        let fields = entry.as_object_mut().expect("an entry is an object");
        fields.remove("inclusionPromise");
        fields.remove("integratedTime");
        entry
    }
}

impl Envelope {
    /// What the log takes down of it as `dsse` 0.0.1.
    pub fn dsse(&self) -> Value {
        json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "envelopeHash": { "algorithm": "sha256", "value": Digest::of(b"as it was sent") },
            "payloadHash": { "algorithm": "sha256", "value": Digest::of(&self.payload) },
            "signatures": [{ "signature": base64(&self.signature), "verifier": self.signer_pem() }],
        }})
    }

    /// As `dsse` 0.0.2.
    pub fn dsse_2(&self) -> Value {
        json!({ "apiVersion": "0.0.2", "kind": "dsse", "spec": { "dsseV002": {
            "payloadHash": { "algorithm": "SHA2_256", "digest": base64(Digest::of(&self.payload).as_bytes()) },
            "signatures": [self.signature_2()],
        }}})
    }

    /// As `hashedrekord` 0.0.1.
    pub fn hashedrekord(&self) -> Value {
        json!({ "apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
            "data": { "hash": { "algorithm": "sha256", "value": Digest::of(&encoded(&self.payload)) } },
            "signature": { "content": base64(&self.signature), "publicKey": { "content": self.signer_pem() } },
        }})
    }

    /// As `hashedrekord` 0.0.2.
    pub fn hashedrekord_2(&self) -> Value {
        let digest = Digest::of(&encoded(&self.payload));
        json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": { "hashedRekordV002": {
            "data": { "algorithm": "SHA2_256", "digest": base64(digest.as_bytes()) },
            "signature": self.signature_2(),
        }}})
    }

    /// As `intoto` 0.0.2.
    pub fn intoto(&self) -> Value {
        json!({ "apiVersion": "0.0.2", "kind": "intoto", "spec": { "content": {
            "envelope": {
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{
                    "sig": base64(base64(&self.signature).as_bytes()),
                    "publicKey": self.signer_pem(),
                }],
            },
            "hash": { "algorithm": "sha256", "value": Digest::of(b"as it was sent") },
            "payloadHash": { "algorithm": "sha256", "value": Digest::of(&self.payload) },
        }}})
    }

    /// A bundle around it.
    pub fn bundle(&self, entries: &[Value], timestamps: &[Vec<u8>]) -> Value {
        let timestamps: Vec<Value> =
            timestamps.iter().map(|token| json!({ "signedTimestamp": base64(token) })).collect();
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": base64(&self.signer.der) },
                "tlogEntries": entries,
                "timestampVerificationData": { "rfc3161Timestamps": timestamps },
            },
            "dsseEnvelope": {
                "payload": base64(&self.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{ "sig": base64(&self.signature) }],
            },
        })
    }

    /// An attestation of a package (PEP 740) around it.
    pub fn attestation(&self, entries: &[Value]) -> Value {
        json!({
            "version": 1,
            "verification_material": { "certificate": base64(&self.signer.der), "transparency_entries": entries },
            "envelope": { "statement": base64(&self.payload), "signature": base64(&self.signature) },
        })
    }

    fn signer_pem(&self) -> String {
        base64(self.signer.to_pem().as_bytes())
    }

    fn signature_2(&self) -> Value {
        let certificate = json!({ "rawBytes": base64(&self.signer.der) });
        let verifier = json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": certificate });
        json!({ "content": base64(&self.signature), "verifier": verifier })
    }
}

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The extension that names an identity provider.
pub fn provider(url: &str) -> CustomExtension {
    let content = [&[12, u8::try_from(url.len()).expect("short")], url.as_bytes()].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, 8], content)
}

/// The extension that the first certificates named it in.
pub fn provider_text(url: &str) -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, 1], url.as_bytes().to_vec())
}

/// What a signature of a DSSE envelope is over.
pub fn encoded(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// As base64.
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// `content` behind its length in two bytes.
fn prefixed(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short").to_be_bytes();
    [&length, content].concat()
}

/// The first part of a certificate, which its signature is over.
fn signed_part(certificate: &[u8]) -> &[u8] {
    let (body, _) = split(split(certificate).1.1);
    body
}

/// The first structure, and its head and content apart.
fn split(der: &[u8]) -> (&[u8], (&[u8], &[u8])) {
    let digits = if der[1] < 0x80 { 0 } else { usize::from(der[1] & 0x7f) };
    let length = match digits {
        0 => usize::from(der[1]),
        _ => der[2..2 + digits].iter().fold(0, |length, &byte| length << 8 | usize::from(byte)),
    };
    let head = 2 + digits;
    (&der[..head + length], der[..head + length].split_at(head))
}
