use super::*;
use crate::testing::each_engine;

#[test]
fn statements_mean_the_same_on_both_engines() {
    each_engine(|database| {
        database
            .write(|transaction| {
                transaction.execute(
                    "INSERT INTO log_objects (name, bytes) VALUES ($1, $2)",
                    &["a '$1' b".into(), (&[0_u8, 255][..]).into()],
                )
            })
            .unwrap();
        let row = database
            .read(|connection| {
                connection.query_one(
                    "SELECT bytes, '$1', length(name), CAST(sum(1) AS BIGINT), NULL FROM log_objects
                     WHERE name = $1 AND 0 = $2 GROUP BY name, bytes LIMIT $3",
                    &["a '$1' b".into(), 0.into(), 7.into()],
                )
            })
            .unwrap()
            .unwrap();
        assert_eq!(row.bytes(0).unwrap(), [0, 255]);
        assert_eq!(row.text(1).unwrap(), "$1");
        assert_eq!((row.int(2).unwrap(), row.int(3).unwrap()), (8, 1));
        assert_eq!(row.opt_text(4).unwrap(), None);
        assert!(row.int(1).is_err() && row.int(4).is_err() && row.int(5).is_err());
    });
}

#[test]
fn a_write_is_whole_or_not_at_all() {
    each_engine(|database| {
        let failed: Result<()> = database.write(|transaction| {
            Database::next_id(transaction)?;
            Err(Error::Invalid("no".into()))
        });
        assert!(matches!(failed, Err(Error::Invalid(_))));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            database.write(|transaction| -> Result<()> {
                Database::next_id(transaction)?;
                panic!("in the middle")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(database.write(Database::next_id).unwrap(), 1);
        let twice = |transaction: &mut Transaction| {
            transaction
                .execute("INSERT INTO log_objects (name, bytes) VALUES ('x', $1)", &[Value::Bytes(b"")])
        };
        database.write(twice).unwrap();
        assert!(matches!(database.write(twice), Err(Error::Conflict(_))));
        database.write(Database::next_id).unwrap();
    });
}

#[test]
fn writers_come_one_after_the_other() {
    each_engine(|database| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let other = Database::open(database.place()).unwrap();
                scope.spawn(move || {
                    for _ in 0..10 {
                        other.write(Database::next_id).unwrap();
                    }
                });
            }
        });
        assert_eq!(database.write(Database::next_id).unwrap(), 81);
    });
}

#[test]
fn a_newer_database_is_refused() {
    each_engine(|database| {
        database
            .write(|transaction| {
                transaction
                    .execute("INSERT INTO migrations (number, name, digest) VALUES (999, 'later', '')", &[])
            })
            .unwrap();
        let Err(error) = Database::open(database.place()) else { panic!("it was opened") };
        assert!(error.to_string().contains("newer version of Alnage"), "{error}");
    });
}

#[test]
fn steps_are_in_order_and_their_numbers_are_theirs() {
    assert!(MIGRATIONS.windows(2).all(|pair| pair[0].number < pair[1].number));
}

#[test]
fn a_server_that_was_started_again_is_found_again() {
    let mut server = crate::testing::Server::start();
    let database = Database::open(&Place::Server(server.url())).unwrap();
    let count = || {
        database.read(|connection| connection.query("SELECT name FROM counters", &[]).map(|rows| rows.len()))
    };
    database.write(Database::next_id).unwrap();
    assert_eq!(count().unwrap(), 1);
    server.stop();
    assert!(matches!(count(), Err(Error::Unavailable(_))));
    assert!(matches!(database.write(Database::next_id), Err(Error::Unavailable(_))));
    server.start_again();
    assert_eq!(database.write(Database::next_id).unwrap(), 2);
    assert_eq!(count().unwrap(), 1);
}
