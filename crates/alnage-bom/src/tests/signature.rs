//! The canonical form, and signatures inside documents.

use super::*;

#[test]
fn numbers_and_texts_in_canonical_form() {
    // From RFC 8785, section 3.2.3 and appendix B.
    for (given, expected) in [
        ("333333333.33333329", "333333333.3333333"),
        ("1E30", "1e+30"),
        ("4.50", "4.5"),
        ("2e-3", "0.002"),
        ("0.000000000000000000000000001", "1e-27"),
        ("0.000001", "0.000001"),
        ("1e-7", "1e-7"),
        ("1.25e-05", "0.0000125"),
        ("1e21", "1e+21"),
        ("123456789012345680000", "123456789012345680000"),
        ("-0", "0"),
        ("0.95", "0.95"),
        ("9007199254740992", "9007199254740992"),
        (r#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/""#, r#""€$\u000f\nA'B\"\\\\\"/""#),
        (r#"{"b": [1, null, true], "a": {}}"#, r#"{"a":{},"b":[1,null,true]}"#),
        (
            "{\"\u{fb33}\": 1, \"\u{1f600}\": 2, \"\u{20ac}\": 3}",
            "{\"\u{20ac}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}",
        ),
    ] {
        assert_eq!(jcs::canonical(&serde_json::from_str(given).unwrap()).unwrap(), expected, "{given}");
    }
}

#[test]
fn a_signature_covers_everything_but_its_value() {
    let key = JsfKey { curve: "P-256", x: vec![1; 32], y: vec![2; 32] };
    let document = write(&composed(&[("a", b"x")], &OPTIONS), Format::CycloneDx17);
    let mut message = Vec::new();
    let signed = jsf_sign(&document, &key, &mut |bytes| {
        message = bytes.to_vec();
        Ok(vec![3; 64])
    })
    .unwrap();
    assert!(
        String::from_utf8(message.clone())
            .unwrap()
            .contains(r#""signature":{"algorithm":"ES256","publicKey":{"crv":"P-256","kty":"EC""#)
    );
    assert!(validate(signed.as_bytes()).unwrap().is_valid());
    assert!(read(signed.as_bytes()).unwrap().is_signed);
    let mut check = |bytes: &[u8], made: &[u8]| bytes == message && made == [3; 64];
    assert_eq!(jsf_verify(signed.as_bytes(), &key, &mut check), Ok(()));
    let changed = signed.replace("\"tiny\"", "\"tony\"");
    assert_ne!(changed, signed);
    assert_eq!(jsf_verify(changed.as_bytes(), &key, &mut check), Err(JsfError::BadSignature));
    assert!(matches!(jsf_verify(document.as_bytes(), &key, &mut check), Err(JsfError::Unsupported(_))));
    let other = JsfKey { curve: "P-384", ..key };
    assert!(matches!(jsf_verify(signed.as_bytes(), &other, &mut check), Err(JsfError::Unsupported(_))));
    assert!(matches!(jsf_sign("{}", &other, &mut |_| Ok(Vec::new())), Err(JsfError::NotCycloneDx(_))));
}
