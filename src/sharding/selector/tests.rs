use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Field, KeyRange, KeyRanges, Selector, ShardInfo, shard_selector};

const LOWER: &str = "shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000')";
const UPPER: &str = "shardRange(object.metadata.uid, '0x8000000000000000', '0x10000000000000000')";

fn parse(text: &str) -> Selector {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn ranges(field: Field, of: &[(u64, Option<u64>)]) -> Selector {
    let ranges = of.iter().map(|(start, end)| KeyRange::new(*start, *end).unwrap());
    Selector::new(field, ranges.collect()).unwrap()
}

/// The cases of Kubernetes' own `parser_test.go` that it accepts, and what else its grammar takes.
#[test]
fn what_the_server_reads_is_read() {
    let lower = ranges(Field::Uid, &[(0, Some(1 << 63))]);
    let all = ranges(Field::Uid, &[(0, None)]);
    for (text, expected) in [
        (LOWER, &lower),
        ("shardRange(object.metadata.uid, '0x0000000000000000', '0x10000000000000000')", &all),
        (
            "shardRange(object.metadata.namespace, '0x00000000000000aa', '0x00000000000000ff')",
            &ranges(Field::Namespace, &[(0xaa, Some(0xff))]),
        ),
        (&format!("{LOWER} || {UPPER}"), &all),
        (&format!("{UPPER}||{LOWER}"), &all),
        (&format!("{LOWER} || {LOWER} || {LOWER}"), &lower),
        ("shardRange(object.metadata.uid,'0x0000000000000000','0x8000000000000000')", &lower),
        (
            "  shardRange( object.metadata.uid ,  '0x0000000000000000' ,  '0x8000000000000000' )  ",
            &lower,
        ),
        ("shardRange(object.metadata.uid, \"0x0000000000000000\", \"0x8000000000000000\")", &lower),
        (
            "shardRange(object.metadata.uid, '''0x0000000000000000''', r\"\"\"0x8000000000000000\"\"\")",
            &lower,
        ),
        (&format!("(({LOWER})) || ({LOWER} || {LOWER})"), &lower),
        (
            "shardRange\n((object . metadata)\t.uid, ('0x0000000000000000'), ((R'0x8000000000000000')))",
            &lower,
        ),
        (&format!("// lower\n{LOWER} // || {UPPER}\n || // and\r\n{UPPER}// end"), &all),
        (&format!("\u{a0}\u{2003}{LOWER}\u{85}\u{b}"), &lower),
    ] {
        assert_eq!(&parse(text), expected, "{text}");
    }
    assert_eq!(parse(&("(".repeat(199) + LOWER + &")".repeat(199))), lower);
}

/// Refused, with where and what to do.
fn refused(cases: &[(&str, usize, &str)]) {
    for (text, position, message) in cases {
        let error = text.parse::<Selector>().expect_err(text);
        assert_eq!(error.position(), *position, "{text}: {error}");
        let told = error.to_string();
        assert!(told.starts_with(&format!("shardSelector, character {position}: ")), "{told}");
        assert!(told.contains(message), "{text}: {told}");
    }
}

fn of(start: &str, end: &str) -> String {
    format!("shardRange(object.metadata.uid, {start}, {end})")
}

const ZERO: &str = "'0x0000000000000000'";
const EIGHT: &str = "'0x8000000000000000'";

#[test]
fn bounds_that_the_server_refuses_are_refused() {
    let (zero, eight) = (ZERO, EIGHT);
    refused(&[
        (&of("'0000000000000000'", eight), 33, "\"0000000000000000\" does not begin with 0x"),
        (&of(zero, "'8000000000000000'"), 55, "does not begin with 0x: put it before"),
        (&of("'0x'", eight), 33, "\"0x\" has not 16 digits"),
        (&of("'0x0'", eight), 33, "write '0x0000000000000000'"),
        (&of(zero, "'0xff'"), 55, "write '0x00000000000000ff'"),
        (&of("'0x000000000000000000'", eight), 33, "has not 16 digits"),
        (&of(zero, "'0x20000000000000000'"), 55, "behind the end of the space"),
        (&of(zero, "'0xFFFFFFFFFFFFFFFF'"), 55, "contains 'F'"),
        (&of("'0x000000000000000g'", eight), 33, "contains 'g'"),
        (&of("'0X0000000000000000'", eight), 33, "does not begin with 0x"),
        (&of("'0x+000000000000000'", eight), 33, "contains '+'"),
        (&of(eight, eight), 1, "from 0x8000000000000000 to 0x8000000000000000 is empty"),
        (&of("'0xffffffffffffffff'", zero), 1, "write the smaller bound first"),
        (&of("'0x10000000000000000'", "'0x10000000000000000'"), 1, "is empty"),
        (
            &of("0", "8"),
            33,
            "expected a bound in quotation marks, as '0x8000000000000000', found 0",
        ),
        (&of("0x0000000000000000", eight), 33, "expected a bound in quotation marks"),
        (&of("b'0x0000000000000000'", eight), 33, "expected a bound in quotation marks"),
        (&of("hex(0)", "'0x8'"), 33, "found hex"),
        (&of("'0x0000000000000000", "8"), 33, "expected a bound in quotation marks"),
        (&of("'\\x30x0000000000000000'", eight), 33, "expected a bound without escapes"),
    ]);
}

#[test]
fn all_else_that_the_server_refuses_is_refused() {
    let field = |path: &str| format!("shardRange({path}, {ZERO}, {EIGHT})");
    refused(&[
        ("", 1, "it is empty: who wants all objects leaves it out"),
        (" \n", 1, "it is empty: who wants all objects leaves it out"),
        (
            &field("object.metadata.name"),
            12,
            "object.metadata.name is no field: write object.metadata.uid",
        ),
        (&field("metadata.uid"), 12, "metadata.uid is no field"),
        (&field("object.metadata"), 12, "object.metadata is no field"),
        (&field("'object.metadata.uid'"), 12, "expected a field"),
        (&field("object.metadata['uid']"), 12, "object.metadata is no field"),
        (&field(".object.metadata.uid"), 12, "expected a field"),
        (
            "invalidFunc(object.metadata.uid, '0x00', '0x80')",
            1,
            "expected shardRange(…), found invalidFunc",
        ),
        ("shardrange(object.metadata.uid, '0x00', '0x80')", 1, "expected shardRange(…)"),
        ("x.shardRange(object.metadata.uid, '0x00', '0x80')", 1, "expected shardRange(…)"),
        ("object.metadata.uid > '0x0'", 1, "expected shardRange(…), found object.metadata.uid"),
        ("shardRange", 11, "expected ( after shardRange, found the end"),
        ("shardRange()", 12, "expected a field, as object.metadata.uid, found )"),
        (
            "shardRange(object.metadata.uid, '0x0000000000000000')",
            53,
            "a comma after the first bound, found )",
        ),
        (&format!("{LOWER} && {UPPER}"), 77, "expected || or the end, found &&"),
        (&format!("{LOWER} ? {LOWER} : {LOWER}"), 77, "expected || or the end, found ?"),
        (&format!("!{LOWER}"), 1, "expected shardRange(…)"),
        (&format!("{LOWER} ||"), 79, "expected shardRange(…), found the end"),
        (&format!("|| {LOWER}"), 1, "expected shardRange(…), found ||"),
        (&format!("{LOWER}, {UPPER}"), 76, "expected || or the end, found ,"),
        (&format!("({LOWER}"), 77, "expected || or ), found the end"),
        (&format!("{LOWER})"), 76, "expected || or the end, found )"),
        (&format!("// {LOWER}"), 79, "expected shardRange(…), found the end"),
        (&format!("{LOWER}\u{a0}|| {UPPER}"), 76, "expected || or the end"),
        (
            &format!("{LOWER} || {}", UPPER.replace("uid", "namespace")),
            91,
            "object.metadata.namespace after object.metadata.uid: write the same field in all ranges",
        ),
    ]);
    let deep = "(".repeat(100_000);
    assert!(deep.parse::<Selector>().unwrap_err().to_string().contains("levels of parentheses"));
    let wide = alloc::vec![format!("({LOWER})"); 300].join(" || "); // each one level deep
    assert_eq!(parse(&wide), parse(LOWER));
    let deep = of(&("(".repeat(300) + ZERO + &")".repeat(300)), EIGHT);
    assert!(deep.parse::<Selector>().unwrap_err().to_string().contains("levels of parentheses"));
}

/// `cel-go` takes 100,000 characters.
#[test]
fn a_selector_may_be_long_and_not_longer() {
    let longest = format!("{LOWER}{}// !", " ".repeat(100_000 - LOWER.len() - 4));
    assert_eq!(parse(&longest), parse(LOWER));
    assert_eq!(parse(&(longest.clone() + " \n")), parse(LOWER)); // cut off before
    let letters = format!("{LOWER}// {}", "ä".repeat(90_000)); // which are 180,000 bytes
    assert_eq!(parse(&letters), parse(LOWER));
    let error = (longest + "!").parse::<Selector>().unwrap_err();
    assert!(error.to_string().contains("longer than 100000 characters"));
    let scattered = |count| (0..count).map(|n| KeyRange::new(2 * n, Some(2 * n + 1)).unwrap());
    let text = |count| shard_selector(Field::Uid, &scattered(count).collect::<Vec<_>>()).unwrap();
    assert!(text(1265).parse::<Selector>().is_ok() && text(1266).parse::<Selector>().is_err());
    let text =
        |count| shard_selector(Field::Namespace, &scattered(count).collect::<Vec<_>>()).unwrap();
    assert!(text(1200).parse::<Selector>().is_err() || text(1200).len() <= 100_000);
}

/// What a server says of itself, and what is to be done.
#[test]
fn what_the_server_did_is_told() {
    let selector = parse(&format!("{UPPER} || {}", LOWER.replace("0x8", "0x4")));
    for echo in [selector.to_string(), format!(" {UPPER}||({})", LOWER.replace("0x8", "0x4"))] {
        assert_eq!(selector.answered(Some(&echo)), ShardInfo::Honoured);
    }
    assert_eq!(selector.answered(None), ShardInfo::Ignored);
    let other = [LOWER.to_owned(), UPPER.to_owned(), String::new(), "0/2".to_owned()];
    let namespaces = selector.to_string().replace("uid", "namespace");
    for echo in other.into_iter().chain([namespaces]) {
        assert_eq!(selector.answered(Some(&echo)), ShardInfo::Different(echo.as_str().into()));
    }
}

/// The filter is the server's function: `hash_test.go`'s way is FNV-1a 64, whose published values these
/// are.
#[test]
fn the_client_filters_as_the_server_does() {
    for (value, hash) in [
        ("", 0xcbf2_9ce4_8422_2325),
        ("a", 0xaf63_dc4c_8601_ec8c),
        ("foobar", 0x8594_4171_f739_67e8),
    ] {
        let exact = ranges(Field::Uid, &[(hash, Some(hash + 1))]);
        let rest = ranges(Field::Uid, &[(0, Some(hash)), (hash + 1, None)]);
        assert!(exact.matches(value) && !rest.matches(value), "{value}");
        assert!(!exact.matches("another"));
    }
}

fn any_range() -> impl Strategy<Value = KeyRange> {
    (any::<u64>(), prop::option::of(any::<u64>())).prop_filter_map("empty", |(a, b)| match b {
        Some(b) if b < a => KeyRange::new(b, Some(a)),
        end => KeyRange::new(a, end),
    })
}

proptest! {
    #[test]
    fn a_selector_is_read_back(
        ranges in prop::collection::vec(any_range(), 0..6),
        namespace in any::<bool>(),
        values in prop::collection::vec(".{0,8}", 5),
    ) {
        let field = if namespace { Field::Namespace } else { Field::Uid };
        let text = shard_selector(field, &ranges);
        prop_assert_eq!(text.is_none(), ranges.is_empty());
        let Some(text) = text else { return Ok(()) };
        let selector = parse(&text);
        prop_assert_eq!(selector.field(), field);
        prop_assert_eq!(selector.ranges(), &ranges.iter().copied().collect::<KeyRanges>());
        prop_assert_eq!(selector.to_string(), &text[..]);
        prop_assert_eq!(selector.answered(Some(&text)), ShardInfo::Honoured);
        for value in &values {
            let key = field.key(value);
            prop_assert_eq!(selector.matches(value), ranges.iter().any(|r| r.contains(key)));
        }
    }

    /// Parts of selectors in any order, and any text at all: an error, and no panic.
    #[test]
    fn any_text_is_read_or_refused(
        parts in prop::collection::vec(prop_oneof![
            "[(){}\\[\\].,|&/'\" \n0x]{1,3}",
            Just(LOWER.to_owned()),
            Just("shardRange(".to_owned()),
            Just("object.metadata.uid,".to_owned()),
            Just("'0x0000000000000000',".to_owned()),
            Just("//".to_owned()),
            ".{0,3}",
        ], 0..8),
    ) {
        let text: String = parts.concat();
        match text.parse::<Selector>() {
            Ok(selector) => prop_assert_eq!(parse(&selector.to_string()), selector),
            Err(error) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.position()));
                prop_assert!(error.to_string().len() < 300);
            }
        }
    }
}
