use super::*;

use std::sync::atomic::{AtomicU64, Ordering};

static NOW: AtomicU64 = AtomicU64::new(1_800_000_000);

fn people() -> (tempfile::TempDir, People) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open_file(&folder.path().join("records.sqlite")).unwrap();
    (folder, People::new(database, || NOW.load(Ordering::Relaxed)))
}

#[test]
fn both_engines_know_people() {
    crate::testing::each_engine(|database| {
        let people = People::new(database, || NOW.load(Ordering::Relaxed));
        let secret = people.first_run(None).unwrap().unwrap();
        let who = people.by_token(secret.reveal()).unwrap().unwrap();
        let opened = people.open_session(&who).unwrap();
        assert!(people.by_session(opened.cookie.reveal()).unwrap().is_some());
        people.attempt_failed("somebody").unwrap();
        people.attempt_failed("somebody").unwrap();
        let key = people.keep("oidc", "content", 60).unwrap();
        people.keep_as(&key, "oidc", "other", 60).unwrap();
        assert_eq!(people.take("oidc", key.reveal()).unwrap().as_deref(), Some("other"));
        let bot = Account::new("bot", AccountKind::Service, grants(&["acme:publisher", "viewer"]));
        let bot = people.add_account(&bot).unwrap();
        people.change_account(&bot).unwrap();
        assert_eq!(people.accounts("admin", 10).unwrap(), [bot]);
        let token = NewToken { expires: Some(u64::MAX), ..NewToken::of("bot", "ci") };
        let (id, secret) = people.add_token(&token).unwrap();
        assert!(
            people
                .by_token(secret.reveal())
                .unwrap()
                .unwrap()
                .roles
                .contain(Role::Publisher, Place::Project("acme"))
        );
        assert_eq!(people.tokens(None, i64::MAX, 10).unwrap().len(), 2);
        people.end_token(id, None).unwrap();
        let known = Account { subject: Some("id|1".into()), ..bot_named("person") };
        assert_eq!(people.vouched(&known, ProviderRoles::Replace).unwrap().name, "person");
    });
}

fn bot_named(name: &str) -> Account {
    Account::new(name, AccountKind::User, grants(&["viewer"]))
}

fn grants(texts: &[&str]) -> Roles {
    Roles(texts.iter().map(|text| text.parse().unwrap()).collect())
}

#[test]
fn roles_contain_what_they_should() {
    let check = |held: &[&str], needed: Role, place: Place<'_>, expected: bool| {
        assert_eq!(grants(held).contain(needed, place), expected, "{held:?} {needed} {place:?}");
    };
    check(&["viewer"], Role::Consumer, Place::Everywhere, false);
    check(&["reviewer"], Role::Publisher, Place::Project("acme"), true);
    check(&["acme:reviewer"], Role::Publisher, Place::Project("acme"), true);
    check(&["acme:reviewer"], Role::Publisher, Place::Project("other"), false);
    check(&["acme:reviewer"], Role::Viewer, Place::Anywhere, true);
    check(&["acme:security-admin"], Role::SecurityAdmin, Place::Everywhere, false);
    check(&["auditor"], Role::Viewer, Place::Everywhere, true);
    check(&["auditor"], Role::Auditor, Place::Everywhere, true);
    check(&["auditor"], Role::Consumer, Place::Everywhere, false);
    check(&["auditor"], Role::SecurityAdmin, Place::Everywhere, false);
    check(&["security-admin"], Role::Auditor, Place::Everywhere, true);
    check(&["reviewer"], Role::Auditor, Place::Everywhere, false);
    check(&[], Role::Viewer, Place::Anywhere, false);
}

#[test]
fn a_ceiling_lowers_and_never_raises() {
    let check = |held: &[&str], ceiling: Role, projects: &[&str], expected: &[&str]| {
        let projects: Vec<String> = projects.iter().map(ToString::to_string).collect();
        assert_eq!(grants(held).limited(ceiling, &projects), grants(expected), "{held:?} {ceiling}");
    };
    check(&["security-admin"], Role::Consumer, &[], &["consumer"]);
    check(&["viewer"], Role::SecurityAdmin, &[], &["viewer"]);
    check(&["reviewer"], Role::Publisher, &["a", "b"], &["a:publisher", "b:publisher"]);
    check(&["a:reviewer", "b:viewer"], Role::SecurityAdmin, &["b"], &["b:viewer"]);
    check(&["auditor"], Role::Consumer, &[], &["viewer"]);
    check(&["security-admin"], Role::Auditor, &[], &["viewer"]);
}

#[test]
fn the_first_token_is_made_once() {
    let (_folder, people) = people();
    let secret = people.first_run(None).unwrap().unwrap();
    assert!(people.first_run(None).unwrap().is_none());
    let who = people.by_token(secret.reveal()).unwrap().unwrap();
    assert!(who.roles.contain(Role::SecurityAdmin, Place::Everywhere));
    assert_eq!(secret.reveal().len(), 43);
    assert!(!format!("{secret:?}").contains(&secret.reveal()[3..]));
}

#[test]
fn a_token_ends_with_its_time_its_owner_or_by_word() {
    let (_folder, people) = people();
    people.first_run(None).unwrap();
    let mut bot =
        people.add_account(&Account::new("bot", AccountKind::Service, grants(&["acme:publisher"]))).unwrap();
    let now = NOW.load(Ordering::Relaxed);
    let expiring = NewToken { expires: Some(now + 1_000_000), ..NewToken::of("bot", "ci") };
    let (id, token) = people.add_token(&expiring).unwrap();
    assert_eq!(people.by_token(token.reveal()).unwrap().unwrap().name, "bot");
    let changed = token.reveal().chars().rev().collect::<String>();
    assert!(people.by_token(&changed).unwrap().is_none());

    bot.disabled = true;
    people.change_account(&bot).unwrap();
    assert!(people.by_token(token.reveal()).unwrap().is_none());
    bot.disabled = false;
    people.change_account(&bot).unwrap();
    assert!(people.by_token(token.reveal()).unwrap().is_some());

    people.end_token(id, Some("admin")).unwrap_err();
    people.end_token(id, Some("bot")).unwrap();
    assert!(people.by_token(token.reveal()).unwrap().is_none());

    let (_, ended) =
        people.add_token(&NewToken { expires: Some(now), ..NewToken::of("bot", "old") }).unwrap();
    assert!(people.by_token(ended.reveal()).unwrap().is_none());
    assert_eq!(people.tokens(Some("bot"), i64::MAX, 10).unwrap().len(), 1);
}

#[test]
fn the_last_admin_stays() {
    let (_folder, people) = people();
    people.first_run(None).unwrap();
    let mut admin = people.account("admin").unwrap().unwrap();
    admin.disabled = true;
    assert!(matches!(people.change_account(&admin), Err(crate::Error::Conflict(_))));
    assert!(!people.account("admin").unwrap().unwrap().disabled);
}

#[test]
fn a_session_carries_what_was_shown_and_ends() {
    let (_folder, people) = people();
    let secret = people.first_run(None).unwrap().unwrap();
    let (_, reading) =
        people.add_token(&NewToken { ceiling: Role::Viewer, ..NewToken::of("admin", "read") }).unwrap();
    for (token, admin) in [(secret, true), (reading, false)] {
        let who = people.by_token(token.reveal()).unwrap().unwrap();
        let opened = people.open_session(&who).unwrap();
        let session = people.by_session(opened.cookie.reveal()).unwrap().unwrap();
        assert_eq!(session.csrf, opened.csrf);
        assert_eq!(session.who.roles.contain(Role::SecurityAdmin, Place::Everywhere), admin);
        people.close_session(opened.cookie.reveal()).unwrap();
        assert!(people.by_session(opened.cookie.reveal()).unwrap().is_none());
    }
}

#[test]
fn who_fails_too_often_waits() {
    let (_folder, people) = people();
    for _ in 0..ATTEMPTS {
        assert_eq!(people.wait("192.0.2.1").unwrap(), None);
        people.attempt_failed("192.0.2.1").unwrap();
    }
    assert!(people.wait("192.0.2.1").unwrap().is_some());
    assert_eq!(people.wait("192.0.2.2").unwrap(), None);
}

#[test]
fn what_is_kept_is_taken_once() {
    let (_folder, people) = people();
    let key = people.keep("oidc", "content", 60).unwrap();
    assert_eq!(people.take("device", key.reveal()).unwrap(), None);
    assert_eq!(people.take("oidc", key.reveal()).unwrap().as_deref(), Some("content"));
    assert_eq!(people.take("oidc", key.reveal()).unwrap(), None);
}

#[test]
fn an_identity_keeps_its_account_and_takes_nobody_elses() {
    let (_folder, people) = people();
    people.first_run(None).unwrap();
    let subject = |subject: &str| Account {
        subject: Some(subject.to_owned()),
        ..Account::new("admin", AccountKind::User, grants(&["viewer"]))
    };
    let one = people.vouched(&subject("https://id.example|1"), ProviderRoles::Keep).unwrap();
    assert_eq!(one.name, "admin-2");
    assert!(!one.roles.contain(Role::SecurityAdmin, Place::Anywhere));
    assert_eq!(
        people.vouched(&subject("https://id.example|1"), ProviderRoles::Replace).unwrap().name,
        "admin-2"
    );
    assert_eq!(
        people.vouched(&subject("https://id.example|2"), ProviderRoles::Keep).unwrap().name,
        "admin-3"
    );
}
