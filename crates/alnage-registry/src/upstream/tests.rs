use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, TcpListener},
    thread,
};

use url::Url;

use super::{Error, Expected, Guard, Listed, Settings, Shelf, Upstream, guard, listing};

#[test]
fn addresses_inside_a_network_are_not_public() {
    let table = [
        ("93.184.216.34", true),
        ("127.0.0.1", false),
        ("10.0.0.1", false),
        ("172.16.3.4", false),
        ("192.168.1.1", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("0.0.0.0", false),
        ("192.0.0.8", false),
        ("198.18.0.1", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("::1", false),
        ("::", false),
        ("fe80::1", false),
        ("fc00::1", false),
        ("2606:2800:220:1::1", true),
        ("2001:db8::1", false),
        ("2001::1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:93.184.216.34", true),
        ("64:ff9b::7f00:1", false),
        ("64:ff9b::5db8:d822", true),
        ("2002:a00:1::", false),
    ];
    for (address, expected) in table {
        assert_eq!(guard::is_public(address.parse().unwrap()), expected, "{address}");
    }
}

#[test]
fn requests_go_to_the_internet_and_to_what_was_named() {
    let guard = Guard::public().and(&Url::parse("https://hub.internal:8443").unwrap());
    let private: IpAddr = "10.1.2.3".parse().unwrap();
    assert!(guard.permits("hub.internal", 8443, private));
    assert!(!guard.permits("hub.internal", 443, private));
    assert!(!guard.permits("other.internal", 8443, private));
    assert!(guard.permits("cdn.example.org", 443, "93.184.216.34".parse().unwrap()));
    let on_machine = Guard::public().and(&Url::parse("http://127.0.0.1:9000").unwrap());
    assert!(on_machine.permits("localhost", 9001, "127.0.0.1".parse().unwrap()));
    assert!(!on_machine.permits("x", 80, private));
    assert!(!on_machine.permits("x", 80, "169.254.169.254".parse().unwrap()));
    let table = [
        ("https://example.org/x", true),
        ("http://example.org/x", false),
        ("https://user:secret@example.org/x", false),
        ("https://10.0.0.1/x", false),
        ("https://169.254.169.254/latest", false),
        ("https://[::1]/x", false),
        ("file:///etc/passwd", false),
        ("ftp://example.org/x", false),
    ];
    for (url, expected) in table {
        assert_eq!(guard.check(&Url::parse(url).unwrap()).is_ok(), expected, "{url}");
    }
}

#[test]
fn names_that_leave_a_repository_are_refused_with_the_whole_listing() {
    for path in ["../x", "a/../b", "/etc/passwd", "a//b", "", ".", "a\\b", "a\nb", "a/./b", "a/"] {
        let body = serde_json::json!([{ "type": "file", "path": path, "size": 1, "oid": "x" }]).to_string();
        let read = listing::page(body.as_bytes(), &mut Vec::new());
        assert!(matches!(read, Err(Error::Refused(_))), "{path}");
    }
    let body = br#"[{"type":"directory","path":"a"},{"type":"file","path":"a/b c","size":3,"oid":"zz"},
        {"type":"file","path":"w","size":9,"oid":"p","xetHash":"no","lfs":{"oid":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":7}}]"#;
    let mut files = Vec::new();
    listing::page(body, &mut files).unwrap();
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().unwrap();
    assert_eq!(
        files,
        [
            Listed { path: "a/b c".into(), size: 3, expected: Expected::Nothing },
            Listed { path: "w".into(), size: 7, expected: Expected::Sha256(digest) },
        ]
    );
}

/// Answers each connection with the next of `answers`; gives the requests that came.
fn server(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let base = url.clone();
    let thread = thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut request = String::new();
            while reader.read_line(&mut request).unwrap() > 2 {}
            stream.write_all(answer.replace("BASE", &base).as_bytes()).unwrap();
            requests.push(request);
        }
        requests
    });
    (url, thread)
}

fn said(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn client(url: &str) -> Upstream {
    let settings = Settings { url: url.to_owned(), token: Some("hf_secret".into()), ..Settings::default() };
    Upstream::new(&settings).unwrap()
}

const COMMIT: &str = "0123456789012345678901234567890123456789";

#[test]
fn renames_and_pages_are_followed() {
    let info = format!(r#"{{"id":"new/name","sha":"{COMMIT}","siblings":[]}}"#);
    let (url, thread) = server(vec![
        said("307 Temporary Redirect", "location: /api/models/new/name/revision/main\r\n", ""),
        said("200 OK", "", &info),
        said(
            "200 OK",
            "link: <BASE/api/models/new/name/tree/x?recursive=true&cursor=b>; rel=\"next\"\r\n",
            r#"[{"type":"file","path":"a","size":1}]"#,
        ),
        said("200 OK", "", r#"[{"type":"file","path":"b","size":2}]"#),
    ]);
    let upstream = client(&url);
    let found = upstream.find(Shelf::Models, "old/name", "main").unwrap();
    assert_eq!((found.name.as_str(), found.commit.as_str()), ("new/name", COMMIT));
    let files = upstream.files(Shelf::Models, "new/name", COMMIT).unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let requests = thread.join().unwrap();
    assert!(requests[0].starts_with("GET /api/models/old/name/revision/main "));
    assert!(requests[3].contains("cursor=b"));
    assert!(
        requests.iter().all(|request| request.to_lowercase().contains("authorization: bearer hf_secret"))
    );
}

#[test]
fn a_token_goes_to_the_hub_alone() {
    let (cdn, cdn_thread) = server(vec![said("200 OK", "", "bytes")]);
    let (url, thread) = server(vec![said("302 Found", &format!("location: {cdn}/blob?sig=1\r\n"), "")]);
    let mut bytes = client(&url).open(Shelf::Datasets, "a/b", COMMIT, "dir/f", 0).unwrap();
    let mut text = String::new();
    bytes.reader.read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), bytes.from), ("bytes", 0));
    assert!(thread.join().unwrap()[0].starts_with(&format!("GET /datasets/a/b/resolve/{COMMIT}/dir/f ")));
    assert!(!cdn_thread.join().unwrap()[0].to_lowercase().contains("authorization"));
}

#[test]
fn redirects_into_a_network_are_not_followed() {
    for place in
        ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/x", "file:///etc/passwd", "gopher://x"]
    {
        let (url, thread) = server(vec![said("302 Found", &format!("location: {place}\r\n"), "")]);
        let opened = client(&url).open(Shelf::Models, "a/b", COMMIT, "f", 0);
        assert!(matches!(opened.map(|_| ()), Err(Error::Refused(_))), "{place}");
        thread.join().unwrap();
    }
}

#[test]
fn errors_of_the_hub_are_told_apart() {
    let table = [
        ("404 Not Found", "x-error-code: RepoNotFound\r\n", "no repository"),
        ("401 Unauthorized", "", "no repository"),
        ("404 Not Found", "x-error-code: RevisionNotFound\r\n", "no revision"),
        ("403 Forbidden", "x-error-code: GatedRepo\r\nx-error-message: ask\r\n", "gated"),
        ("500 Internal Server Error", "", "unavailable"),
        ("200 OK", "", "refused"),
    ];
    for (status, headers, expected) in table {
        let (url, thread) = server(vec![said(status, headers, "{}")]);
        let told = match client(&url).find(Shelf::Models, "a/b", "main").unwrap_err() {
            Error::NoRepository => "no repository",
            Error::NoRevision => "no revision",
            Error::Gated(_) => "gated",
            Error::Refused(_) => "refused",
            Error::Unavailable(_) => "unavailable",
        };
        assert_eq!(told, expected, "{status} {headers}");
        thread.join().unwrap();
    }
    assert!(matches!(
        client("http://127.0.0.1:9").find(Shelf::Models, "a/b", "main"),
        Err(Error::Unavailable(_))
    ));
}
