use serde::de::IgnoredAny;

use super::{NotJson, Scanner};

/// Whether the whole text is one value.
fn is_json(text: &str) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.value().and_then(|_| scanner.end()).is_ok()
}

/// Names and values of an object, including nested objects.
fn walk(text: &str) -> Result<Vec<(&str, &str)>, NotJson> {
    fn object<'a>(
        scanner: &mut Scanner<'a>,
        found: &mut Vec<(&'a str, &'a str)>,
    ) -> Result<(), NotJson> {
        scanner.object(|scanner, name| {
            if scanner.peek()? == b'{' {
                return object(scanner, found);
            }
            found.push((name, scanner.value()?));
            Ok(())
        })
    }
    let mut found = Vec::new();
    object(&mut Scanner::new(text), &mut found)?;
    Ok(found)
}

#[test]
fn names_and_values_are_returned_unparsed() {
    let text = "{ \"a\" : 1 ,\"b\":\"x\\\"}\\\\\",\n\"c\":{\"d\":[1,{\"e\":\"]\\\"\"},[]] , \"f\":{}}, \"g\\u00e9\":null,\"h\":-1.5e3}";
    let expected = [
        ("a", "1"),
        ("b", "\"x\\\"}\\\\\""),
        ("d", "[1,{\"e\":\"]\\\"\"},[]]"),
        ("g\\u00e9", "null"),
        ("h", "-1.5e3"),
    ];
    assert_eq!(walk(text).unwrap(), expected);
    assert!(walk("{}").unwrap().is_empty() && walk("{ }").unwrap().is_empty());
    assert_eq!(walk("{\"é\":\"日本\"}").unwrap(), [("é", "\"日本\"")]);
}

#[test]
fn strings_of_every_length_end_at_their_quotation_mark() {
    for length in 0..40 {
        for special in ["", "\\\"", "\\u00e9", "é", "\u{7f}"] {
            let value = format!("\"{}{special}{}\"", "a".repeat(length), "b".repeat(40 - length));
            let text = format!("{{\"name\":{value},\"next\":0}}");
            assert_eq!(walk(&text).unwrap(), [("name", value.as_str()), ("next", "0")]);
        }
    }
}

#[test]
fn exactly_the_texts_that_serde_json_accepts_are_accepted() {
    let agree = |text: &str| {
        let expected = serde_json::from_str::<IgnoredAny>(text).is_ok();
        assert_eq!(is_json(text), expected, "{text:?}");
        expected
    };
    for text in [
        "", " ", "{", "[", "\"", "\"\\", "tru", "nul", "-", "1.", "1e", "1e+", "01", "-01", "+1",
        ".5", "1 2",
    ] {
        assert!(!agree(text));
    }
    for text in
        ["0", "-0", "1.50", "1E-7", "1e999", "\"\\ud800\"", "[[],{}]", " [ 1 , 2 ] ", "\"\u{7f}\""]
    {
        assert!(agree(text));
    }
    // Valid texts with a few changed bytes; many remain valid.
    let texts = [
        r#"{"a":[1,-2.5e+10,{"b":null}],"c":"x\"\\\/\b\f\n\r\t\u00e9\ud800y","d":{"e":{},"f":[]},"g":[true,false]}"#,
        r#" { "long name of a member" : "a text of more than sixteen bytes" , "n" : [ 0 , 10 , 0.0 ] } "#,
    ];
    let bytes = b"{}[]\",:\\ \n\t\x01\x1f truefalsn0123456789.-+eEu/xa\x7f";
    let mut rng = fastrand::Rng::with_seed(7);
    let mut accepted = 0;
    for _ in 0..100_000 {
        let mut text = texts[rng.usize(0..2)].as_bytes().to_vec();
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(0..text.len());
            match rng.u8(0..3) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, bytes[rng.usize(0..bytes.len())]),
                _ => text[at] = bytes[rng.usize(0..bytes.len())],
            }
        }
        accepted += u32::from(agree(std::str::from_utf8(&text).unwrap()));
    }
    assert!((5_000..95_000).contains(&accepted), "{accepted} of 100,000 were valid");
}

#[test]
fn values_of_any_depth_are_accepted() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        assert!(is_json(&deep));
        assert!(!is_json(&deep[..deep.len() - 1]));
    }
}
