//! Connections outlive answers that come before all was sent.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use super::doors::Place;

/// Reads one answer: its head, and as much body as it announces.
fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.trim().parse().unwrap()) {
                return text;
            }
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection ended after {text:?}");
        bytes.extend_from_slice(&buffer[..count]);
    }
}

fn head(path: &str, length: usize, more: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n{more}\r\n")
}

#[test]
fn a_body_that_nobody_wanted_spoils_no_connection() {
    let place = Place::start();
    let mut stream = TcpStream::connect(place.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let table = [("/api/validate-yaml", "200 ok"), ("/no/such/page", "404 "), ("/v1/shards", "401 ")];
    for _ in 0..3 {
        for (path, wanted) in table {
            let body = vec![b' '; 200_000];
            stream.write_all(head(path, body.len(), "").as_bytes()).unwrap();
            // Some clients send head and body apart.
            std::thread::sleep(Duration::from_millis(50));
            stream.write_all(&body).unwrap();
            let answer = answer(&mut stream);
            assert!(answer.contains(wanted) && !answer.contains("connection: close"), "{path}: {answer}");
        }
    }
}

#[test]
fn who_waits_to_be_asked_for_a_body_is_answered_without_it() {
    let place = Place::start();
    for length in [100, 1 << 40] {
        let mut stream = TcpStream::connect(place.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(head("/v1/shards", length, "expect: 100-continue\r\n").as_bytes()).unwrap();
        let answer = answer(&mut stream);
        assert!(answer.contains("401 ") && answer.contains("connection: close"), "{answer}");
    }
}
