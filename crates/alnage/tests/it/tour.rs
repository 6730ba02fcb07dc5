use std::time::Instant;

use crate::sandbox::Sandbox;

#[test]
fn the_tour_goes_as_it_should_again_and_again() {
    let sandbox = Sandbox::new();
    let start = Instant::now();
    for _ in 0..2 {
        let ran = sandbox.run("tour");
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        for part in
            ["block   alnage-tour/weaponised", "os.system('echo pwned')", "\nverified: ", "\nnot verified: "]
        {
            assert!(ran.stdout.contains(part), "{part:?} in {}", ran.stdout);
        }
    }
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn what_the_tour_did_not_make_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("alnage-tour/thesis.txt", "years of work");
    let ran = sandbox.run("tour");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("was not made by the tour"), "{}", ran.stderr);
    assert_eq!(sandbox.read("alnage-tour/thesis.txt"), "years of work");
}

#[test]
fn the_commands_of_the_tour_work_by_hand() {
    let sandbox = Sandbox::new();
    let told = sandbox.run("tour").stdout;
    let mut commands =
        told.lines().filter_map(|line| line.trim().strip_prefix("$ ")?.split_once(" ")).map(|(_, rest)| rest);
    let seal = commands.find(|command| command.contains("--seal")).unwrap();
    assert_eq!(sandbox.run(seal).code, 0);
    let verify = commands.find(|command| command.starts_with("verify")).unwrap();
    assert_eq!(sandbox.run(verify).code, 0);
}
