use alnage_types::{Budget, MemorySource};

use super::*;

fn fields(bytes: &[u8]) -> Result<Vec<(u32, Value)>, WireEnd> {
    let source = MemorySource::new(bytes);
    let mut reader = Reader::new(&source);
    let mut meter = Meter::new(Budget::default());
    let mut message = Message::whole(&reader);
    let mut fields = Vec::new();
    while let Some(field) = message.next(&mut reader, &mut meter)? {
        fields.push((field.number, field.value));
    }
    Ok(fields)
}

fn check(bytes: &[u8], expected: &[(u32, Value)]) {
    assert_eq!(fields(bytes).as_deref(), Ok(expected));
}

fn check_malformed(bytes: &[u8], offset: u64) {
    assert_eq!(fields(bytes).map_err(|end| end.offset), Err(offset));
}

#[test]
fn every_wire_type_is_read() {
    check(b"\x08\x96\x01", &[(1, Value::Varint(150))]);
    check(b"\x11\x01\0\0\0\0\0\0\0", &[(2, Value::Fixed64(1))]);
    check(b"\x1a\x02hi", &[(3, Value::Bytes(2..4))]);
    check(b"\x25\x02\0\0\0", &[(4, Value::Fixed32(2))]);
    check(b"\x2b\x08\x01\x2c\x08\x01", &[(5, Value::Group(1..3)), (1, Value::Varint(1))]);
    check(b"\x0b\x13\x14\x0c", &[(1, Value::Group(1..3))]);
    check(b"", &[]);
}

#[test]
fn a_number_of_ten_bytes_drops_the_bits_no_reader_keeps() {
    check(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", &[(1, Value::Varint(u64::MAX))]);
}

#[test]
fn malformed_bytes_are_named_with_their_offset() {
    check_malformed(b"\x08\x01\x00\x01", 2);
    check_malformed(b"\x0e", 0);
    check_malformed(b"\x0c", 0);
    check_malformed(b"\x0b\x14", 1);
    check_malformed(b"\x0b\x08\x01", 3);
    check_malformed(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1);
    check_malformed(b"\x1a\x05hi", 0);
    check_malformed(b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 0);
}

#[test]
fn a_nested_message_ends_where_its_length_says() {
    let source = MemorySource::new(&b"\x0a\x02\x08\x96\x01"[..]);
    let mut reader = Reader::new(&source);
    let mut meter = Meter::new(Budget::default());
    let field = Message::whole(&reader).next(&mut reader, &mut meter).unwrap().unwrap();
    let mut nested = field.message().unwrap();
    let end = nested.next(&mut reader, &mut meter).unwrap_err();
    assert_eq!(end.cause, WireCause::Read(ReadEnd::Truncated));
    assert_eq!(nested.next(&mut reader, &mut meter), Ok(None));
}

#[test]
fn packed_and_single_numbers_read_alike() {
    let source = MemorySource::new(&b"\x0a\x03\x01\x96\x01\x08\x07"[..]);
    let mut reader = Reader::new(&source);
    let mut meter = Meter::new(Budget::default());
    let mut message = Message::whole(&reader);
    let mut numbers = Vec::new();
    while let Some(field) = message.next(&mut reader, &mut meter).unwrap() {
        field.varints(&mut reader, &mut meter, |number| numbers.push(number)).unwrap();
    }
    assert_eq!(numbers, [1, 150, 7]);
}

#[test]
fn every_field_counts_a_step() {
    let source = MemorySource::new(b"\x08\x01".repeat(10));
    let mut reader = Reader::new(&source);
    let mut meter = Meter::new(Budget { max_steps: 4, ..Budget::default() });
    let mut message = Message::whole(&reader);
    let mut read = 0;
    let end = loop {
        match message.next(&mut reader, &mut meter) {
            Ok(Some(_)) => read += 1,
            Ok(None) => panic!("the limit was not kept"),
            Err(end) => break end,
        }
    };
    assert_eq!((read, end.cause), (4, WireCause::Exhausted(Exhausted { limit: "max-steps" })));
}
