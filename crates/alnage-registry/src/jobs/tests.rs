use std::collections::BTreeSet;

use crate::{Error, Page, Registry, testing::each_registry};

fn keys(registry: &Registry, worker: &str) -> Vec<String> {
    let next = || registry.lease(&["scan"], worker, 60).unwrap().map(|job| job.key);
    std::iter::from_fn(next).collect()
}

#[test]
fn one_live_job_a_key_in_the_order_they_were_asked_for() {
    each_registry(|registry| {
        for key in ["b", "a", "b"] {
            registry.enqueue("scan", key, "payload").unwrap();
        }
        registry.enqueue("pull", "a", "").unwrap();
        assert_eq!(keys(registry, "one"), ["b", "a"]);
        let job = registry.job("scan", "b").unwrap().unwrap();
        assert_eq!((job.state.as_str(), job.attempts, job.payload.as_str()), ("running", 1, "payload"));
        registry.enqueue("scan", "b", "").unwrap();
        assert!(keys(registry, "two").is_empty(), "it is being done");
        registry.done(&job).unwrap();
        registry.enqueue("scan", "b", "").unwrap();
        assert_eq!(keys(registry, "two"), ["b"]);
    });
}

#[test]
fn what_a_dead_worker_had_is_taken_again_and_not_given_back() {
    each_registry(|registry| {
        registry.enqueue("scan", "x", "").unwrap();
        let dead = registry.lease(&["scan"], "dead", 0).unwrap().unwrap();
        registry.heartbeat(&dead, 0).unwrap();
        // Its lease ends in this second; the next one begins later than that.
        registry
            .write(|transaction| transaction.execute("UPDATE jobs SET leased_until = 1", &[]).map(|_| ()))
            .unwrap();
        let taken = registry.lease(&["scan"], "alive", 60).unwrap().unwrap();
        assert_eq!((taken.id, taken.attempts), (dead.id, 2));
        for late in [registry.done(&dead), registry.heartbeat(&dead, 60), registry.failed(&dead, "", None)] {
            assert!(matches!(late, Err(Error::Conflict(_))));
        }
        registry.failed(&taken, "later", Some(100)).unwrap();
        assert!(registry.lease(&["scan"], "alive", 60).unwrap().is_none(), "not before its time");
        let waiting = registry.jobs(Some("ready"), Page::first(5)).unwrap();
        assert_eq!(waiting[0].message, "later");
    });
}

#[test]
fn many_workers_never_take_the_same() {
    each_registry(|registry| {
        for number in 0..40 {
            registry.enqueue("scan", &number.to_string(), "").unwrap();
        }
        let taken: Vec<String> = std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..4).map(|worker| scope.spawn(move || keys(registry, &worker.to_string()))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 40);
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 40);
    });
}
