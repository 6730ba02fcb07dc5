//! Bills of materials: the bytes as a document of any format.

use alnage_bom::{
    Format, JsfKey, Profile, compare, convert, jsf_verify, merge, openvex, read, score, validate, write,
};

pub(crate) fn bom(bytes: &[u8]) {
    let _ = validate(bytes);
    let key = JsfKey { curve: "P-256", x: vec![1; 32], y: vec![2; 32] };
    let _ = jsf_verify(bytes, &key, &mut |_, _| true);
    let Ok(bom) = read(bytes) else { return };
    for profile in Profile::ALL {
        let _ = score(&bom, profile);
    }
    let _ = openvex(&bom);
    for format in [Format::CycloneDx17, Format::CycloneDx16, Format::Spdx] {
        let _ = convert(bytes, format);
        let again = read(write(&bom, format).as_bytes());
        let Ok(again) = again else { panic!("our own document cannot be read: {again:?}") };
        let _ = compare(&bom, &again);
        let _ = merge("both", None, "0", "2026-01-01T00:00:00Z", &[bom.clone(), again]);
    }
}
