//! Signatures as another signer makes them, and answers as stores write them.

use std::time::Duration;

use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle, actions::ListObjectsV2};
use url::Url;

use super::{S3Settings, answer, moment, sign::Signer};

fn settings(token: Option<&str>) -> S3Settings {
    S3Settings {
        endpoint: String::new(),
        bucket: "examplebucket".into(),
        prefix: String::new(),
        region: "eu-west-1".into(),
        key: "AKIAIOSFODNN7EXAMPLE".into(),
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        token: token.map(ToOwned::to_owned),
    }
}

/// Both sign now, and may do so in two seconds: one of the two is the other's.
fn check(
    endpoint: &str,
    token: Option<&str>,
    ours: impl Fn(&Signer, u64) -> String,
    theirs: impl Fn(&Bucket, &Credentials) -> Url,
) {
    let endpoint = Url::parse(endpoint).unwrap();
    let settings = settings(token);
    let bucket =
        Bucket::new(endpoint.clone(), UrlStyle::Path, settings.bucket.clone(), settings.region.clone())
            .unwrap();
    let (key, secret) = (settings.key.clone(), settings.secret.clone());
    let credentials = match token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    };
    let signer = Signer::new(&endpoint, settings).unwrap();
    let theirs = theirs(&bucket, &credentials);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let ours: Vec<Url> = [now, now - 1].map(|now| Url::parse(&ours(&signer, now)).unwrap()).into();
    let told = |url: &Url| {
        let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        pairs.sort();
        (url.path().to_owned(), pairs)
    };
    assert!(ours.iter().map(told).any(|one| one == told(&theirs)), "{theirs}\n{ours:?}");
}

#[test]
fn another_signer_signs_the_same() {
    let holds = Duration::from_secs(3600);
    for endpoint in
        ["https://s3.eu-west-1.amazonaws.com", "http://127.0.0.1:8333", "http://store.example:9000/below/"]
    {
        for token in [None, Some("a/token+with=signs")] {
            check(
                endpoint,
                token,
                |signer, now| signer.address("GET", "some/where/blobs/a b+ü", &[], &[], now, holds),
                |bucket, credentials| {
                    bucket.get_object(Some(credentials), "some/where/blobs/a b+ü").sign(holds)
                },
            );
            check(
                endpoint,
                token,
                |signer, now| signer.address("PUT", "key", &[], &[("if-none-match", "*")], now, holds),
                |bucket, credentials| {
                    let mut action = bucket.put_object(Some(credentials), "key");
                    action.headers_mut().insert("if-none-match", "*");
                    action.sign(holds)
                },
            );
            check(
                endpoint,
                token,
                |signer, now| {
                    signer.address("PUT", "key", &[("partNumber", "3"), ("uploadId", "a/b")], &[], now, holds)
                },
                |bucket, credentials| bucket.upload_part(Some(credentials), "key", 3, "a/b").sign(holds),
            );
            check(
                endpoint,
                token,
                |signer, now| signer.address("POST", "key", &[("uploads", "1")], &[], now, holds),
                |bucket, credentials| bucket.create_multipart_upload(Some(credentials), "key").sign(holds),
            );
        }
    }
}

#[test]
fn the_example_of_the_reference_is_signed_as_printed() {
    let settings = S3Settings { region: "us-east-1".into(), bucket: "test.txt".into(), ..settings(None) };
    let endpoint = Url::parse("https://examplebucket.s3.amazonaws.com").unwrap();
    let signer = Signer::new(&endpoint, settings).unwrap();
    let address = signer.address("GET", "", &[], &[], 1_369_353_600, Duration::from_secs(86_400));
    let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    assert!(address.ends_with(&format!("&X-Amz-Signature={signature}")), "{address}");
}

#[test]
fn answers_are_read_as_another_reader_reads_them() {
    let page = r#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
<Contents><Key>a/b&amp;c&#x41;&#66;</Key><LastModified>2026-11-22T19:31:35.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>12</Size></Contents>
<Contents><Key>d</Key><LastModified>2026-11-22T19:31:36.000Z</LastModified><ETag>"f"</ETag><Size>0</Size></Contents>
<MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>1/x+y==&lt;</NextContinuationToken></ListBucketResult>"#;
    let theirs = ListObjectsV2::parse_response(page).unwrap();
    let keys: Vec<String> =
        answer::within(page, "Contents").filter_map(|one| answer::text(one, "Key")).collect();
    assert_eq!(keys, theirs.contents.iter().map(|one| one.key.clone()).collect::<Vec<_>>());
    assert_eq!(answer::text(page, "NextContinuationToken"), theirs.next_continuation_token);
    assert_eq!(answer::text("<a>1 &amp 2 &nope; 3</a>", "a").as_deref(), Some("1 &amp 2 &nope; 3"));
    assert_eq!(answer::text("<a>never closed", "a"), None);
    assert!(moment("2026-11-22T19:31:35.000Z").is_some());
}
