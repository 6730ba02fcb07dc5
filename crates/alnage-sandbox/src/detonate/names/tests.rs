use super::*;

/// A question for `name` of the type `kind`.
fn question(name: &str, kind: u8) -> Vec<u8> {
    let mut message = vec![7, 8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend(label.bytes());
    }
    message.extend([0, 0, kind, 0, 1]);
    message
}

#[test]
fn questions_are_read_and_answered() {
    let message = question("c2.example.org", 1);
    let (name, kind, end) = read_question(&message).unwrap();
    assert_eq!((&*name, kind, end), ("c2.example.org", 1, message.len()));
    let answer = write_answer(&message, Some(Ipv4Addr::new(198, 18, 0, 1))).unwrap();
    assert_eq!((answer[7], &answer[answer.len() - 4..]), (1, &[198, 18, 0, 1][..]));
    assert_eq!(write_answer(&message, None).unwrap().len(), message.len());
}

#[test]
fn broken_questions_have_no_answer() {
    let message = question("a.b", 1);
    for cut in 0..message.len() {
        assert!(read_question(&message[..cut]).is_none(), "{cut}");
    }
    let mut pointing = question("a.b", 1);
    pointing[12] = 0xc0;
    assert!(read_question(&pointing).is_none());
}
