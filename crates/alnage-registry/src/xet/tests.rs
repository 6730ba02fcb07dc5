//! Xorbs and shards of the stock client become blobs; whatever was changed on the way becomes nothing.

use super::*;
use crate::{blobs::Local, database::Database, testing::each_engine};

const XORB: &[u8] = include_bytes!("../../../alnage-xet/src/samples/three-files.xorb");
const SHARD: &[u8] = include_bytes!("../../../alnage-xet/src/samples/three-files.shard");
const DAY: u64 = 24 * 60 * 60;

struct Place {
    _database: Option<tempfile::TempDir>,
    _directory: tempfile::TempDir,
    database: Database,
    blobs: Blobs,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open_file(&directory.path().join("records.db")).unwrap();
        Self { _database: Some(directory), ..Self::with(database) }
    }

    fn with(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::Local(Local::at(&directory.path().join("store")).unwrap());
        Self { _database: None, _directory: directory, database, blobs }
    }

    fn put_xorb(&self, bytes: &[u8], now: u64) -> Result<Inserted> {
        let name = "23c6c148f18695395d943549bf1764e41fefe2d5a356676803089c86fa2727b0";
        put_xorb(&self.database, &self.blobs, name.parse().unwrap(), bytes, now)
    }

    fn put_shard(&self, bytes: &[u8], now: u64) -> Result<Vec<Assembled>> {
        put_shard(&self.database, &self.blobs, bytes, now)
    }

    fn count(&self) -> usize {
        self.blobs.list().unwrap().len()
    }
}

#[test]
fn files_of_a_shard_are_blobs_under_the_digests_the_client_named() {
    each_engine(|database| files_are_blobs(&Place::with(database)));
}

fn files_are_blobs(place: &Place) {
    assert_eq!(place.put_xorb(XORB, 1).unwrap(), Inserted::New);
    assert_eq!(place.put_xorb(XORB, 2).unwrap(), Inserted::Known);
    let files = place.put_shard(SHARD, 3).unwrap();
    let sizes: Vec<u64> = files.iter().map(|file| file.size).collect();
    assert_eq!(sizes, [600_000, 691_120, 3000]);
    for file in &files {
        let bytes = place.blobs.read(file.sha256, 1 << 20).unwrap().unwrap();
        assert_eq!((Digest::of(&bytes), bytes.len() as u64), (file.sha256, file.size));
    }
    assert_eq!(place.put_shard(SHARD, 4).unwrap(), files);
    assert_eq!(place.count(), 4);
    let later = 4 + 23 * DAY;
    assert_eq!(sweep(&place.database, &place.blobs, later).unwrap(), 1);
    assert_eq!(place.count(), 3);
    assert_eq!(secret(&place.database).unwrap(), secret(&place.database).unwrap());
}

#[test]
fn nothing_is_stored_of_what_was_changed() {
    let place = Place::new();
    let mut changed = XORB.to_vec();
    changed[100] ^= 1;
    assert!(matches!(place.put_xorb(&changed, 1), Err(Error::Invalid(_))));
    assert!(matches!(place.put_shard(SHARD, 1), Err(Error::Invalid(_))));
    assert_eq!(place.count(), 0);
    place.put_xorb(XORB, 1).unwrap();
    // The digest of the last file, in its entry before the end of the list.
    let digest = SHARD.windows(32).position(|window| window == [0xff; 32]).unwrap() - 48;
    let mut changed = SHARD.to_vec();
    changed[digest] ^= 1;
    let error = place.put_shard(&changed, 1).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    let lie = place.blobs.list().unwrap().into_iter().filter(|blob| blob.size == 3000).count();
    assert_eq!(lie, 0);
}

#[test]
fn a_xorb_stays_as_long_as_clients_rely_on_it() {
    let place = Place::new();
    place.put_xorb(XORB, DAY).unwrap();
    assert_eq!(sweep(&place.database, &place.blobs, 22 * DAY).unwrap(), 0);
    place.put_shard(SHARD, 10 * DAY).unwrap();
    assert_eq!(sweep(&place.database, &place.blobs, 24 * DAY).unwrap(), 0);
    assert_eq!(sweep(&place.database, &place.blobs, 33 * DAY).unwrap(), 1);
    assert_eq!(place.count(), 3);
    assert!(place.put_xorb(XORB, 33 * DAY).is_ok());
}

#[test]
fn every_replica_has_the_same_secret() {
    let place = Place::new();
    let first = secret(&place.database).unwrap();
    assert_eq!(secret(&place.database).unwrap(), first);
    assert_ne!(secret(&Place::new().database).unwrap(), first);
}

#[test]
fn a_grant_holds_for_its_time_and_no_other_key() {
    let grant = Grant::new("robot", "model", "acme/tiny", 1000);
    let text = grant.seal(&[7; 32]).unwrap();
    assert_eq!(Grant::open(&text, &[7; 32], 1000).unwrap(), grant);
    let other = Grant::new("robot", "model", "acme/other", 1000).seal(&[7; 32]).unwrap();
    let mixed = format!("{}.{}", other.split_once('.').unwrap().0, text.split_once('.').unwrap().1);
    for (text, secret, now) in [
        (&text, 8, 1000),
        (&text, 7, 1900),
        (&mixed, 7, 1000),
        (&text[1..].to_owned(), 7, 1000),
        (&"xet_.".to_owned(), 7, 0),
    ] {
        assert!(Grant::open(text, &[secret; 32], now).is_err(), "{text}");
    }
}
