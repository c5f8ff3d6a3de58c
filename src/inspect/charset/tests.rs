//! Every label there is, and bytes that are not what their label says.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GB18030, GBK, KOI8_R, SHIFT_JIS, WINDOWS_1251, X_MAC_CYRILLIC,
};
use proptest::prelude::*;

use super::*;

const IIN: &str = "991231100010";
const NAME: &str = "{\"fio\":\"Иванова Айгерим\"}";

fn read(bytes: &[u8], label: &str) -> Result<String, GapKind> {
    let label = Some(label).filter(|it| !it.is_empty());
    let text = decode(Cow::Borrowed(bytes), label)?;
    assert!(!text.has_blanks);
    Ok(text.text.into_owned())
}

#[track_caller]
fn check(bytes: &[u8], label: &str, expected: Result<&str, GapKind>) {
    assert_eq!(read(bytes, label), expected.map(str::to_owned), "{label}");
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn utf_8_is_borrowed_whole() {
    for label in [None, Some("UTF-8"), Some("utf8"), Some(" \"utf-8")] {
        match decode(Cow::Borrowed(NAME.as_bytes()), label) {
            Ok(text) => assert!(matches!(text.text, Cow::Borrowed(NAME)), "{label:?}"),
            Err(kind) => assert_eq!(
                (kind, label),
                (GapKind::UnsupportedCharset, Some(" \"utf-8"))
            ),
        }
    }
    for bytes in [
        Cow::Borrowed(&b"ab\xffcd"[..]),
        Cow::Owned(b"ab\xffcd".to_vec()),
    ] {
        let text = decode(bytes, None).unwrap();
        assert_eq!((&*text.text, text.has_blanks), ("ab cd", true));
    }
    for bytes in [&b"\xc0\xb9"[..], b"\xed\xa0\xbd\xed\xb8\x80", b"\xff"] {
        let text = decode(Cow::Borrowed(bytes), None).unwrap();
        assert!(text.has_blanks, "overlong, surrogates, stray");
        assert_eq!(*text.text, *" ".repeat(bytes.len()));
    }
}

#[test]
fn marks_and_labels_agree_or_the_text_is_ambiguous() {
    use GapKind::Ambiguous;
    let little = utf16(NAME, u16::to_le_bytes);
    let big = utf16(NAME, u16::to_be_bytes);
    let marked_little = [&[0xff, 0xfe], &little[..]].concat();
    let marked_big = [&[0xfe, 0xff], &big[..]].concat();
    let marked = format!("\u{feff}{NAME}");
    check(&marked_little, "utf-16", Ok(&marked));
    check(&marked_big, "utf-16", Ok(&marked));
    check(&marked_little, "UTF-16LE", Ok(&marked));
    check(&marked_big, "utf-16be", Ok(&marked));
    check(&little, "utf-16le", Ok(NAME));
    check(&big, "utf-16be", Ok(NAME));
    check(marked.as_bytes(), "", Ok(&marked));
    check(marked.as_bytes(), "utf-8", Ok(&marked));
    for (bytes, label) in [
        (&little, "utf-16"),
        (&big, "utf-16"),
        (&marked_little, "utf-16be"),
        (&marked_big, "utf-16le"),
        (&marked_little, ""),
        (&marked_big, "utf-8"),
        (&marked_big, "windows-1251"),
        (&little, ""),
        (&big, ""),
        (&big, "koi8-r"),
        (&marked.as_bytes().to_vec(), "windows-1251"),
        (&marked.as_bytes().to_vec(), "us-ascii"),
        (&[0xff, 0xfe, 0, 0, b'a', 0, 0, 0].to_vec(), "utf-16"),
        (&[0, 0, 0xfe, 0xff, 0, 0, 0, b'a'].to_vec(), ""),
        (&[b'9', 0, 0, 0, b'9', 0, 0, 0].to_vec(), ""),
        (&little[..little.len() - 1].to_vec(), "utf-16le"),
        (&[0x3d, 0xd8, b'a', 0].to_vec(), "utf-16le"),
        (&IIN.as_bytes().to_vec(), "utf-16le"),
        (&IIN.as_bytes().to_vec(), "utf-16"),
        (&NAME.as_bytes().to_vec(), "windows-1251"),
        (&NAME.as_bytes().to_vec(), "gbk"),
        (&NAME.as_bytes().to_vec(), "kz-1048"),
        (&NAME.as_bytes().to_vec(), "us-ascii"),
        (&b"\xd2\xff".to_vec(), "windows-874"),
        (&b"\x81".to_vec(), "shift_jis"),
        (&b"\xff\xff".to_vec(), "gb18030"),
        (&b"\x98".to_vec(), "kz-1048"),
    ] {
        check(bytes, label, Err(Ambiguous));
    }
}

#[test]
fn charsets_are_read_and_written() {
    let russian = "{\"fio\":\"Иванова\"}";
    for (label, encoding) in [
        ("windows-1251", WINDOWS_1251),
        ("CP1251", WINDOWS_1251),
        ("koi8-r", KOI8_R),
        ("x-mac-cyrillic", X_MAC_CYRILLIC),
        ("cp866", encoding_rs::IBM866),
        ("iso-8859-5", encoding_rs::ISO_8859_5),
        ("gbk", GBK),
        ("gb18030", GB18030),
        ("big5", BIG5),
        ("shift_jis", SHIFT_JIS),
        ("euc-jp", EUC_JP),
        ("euc-kr", EUC_KR),
    ] {
        let (bytes, _, has_losses) = encoding.encode(russian);
        assert!(!has_losses, "{label}");
        check(&bytes, label, Ok(russian));
        let text = decode(Cow::Borrowed(&bytes), Some(label)).unwrap();
        assert_eq!(
            text.charset.encode(russian.to_owned()).as_deref(),
            Some(&*bytes)
        );
        assert_eq!(
            text.charset.encode("\u{1f600}".to_owned()).is_some(),
            label == "gb18030"
        );
    }
    // The letters of Kazakh: the first line of KZ1048.TXT that differs from windows-1251, and all of them.
    check(b"\x8d", "KZ-1048", Ok("Қ"));
    let kazakh = b"\x8d\x8e\x9d\x9e\xa1\xa2\xa3\xa5\xaa\xaf\xb2\xb3\xb4\xba\xbc\xbd\xbe\xbf";
    for label in ["kz1048", "rk1048", "STRK1048-2002", "csKZ1048"] {
        check(kazakh, label, Ok("ҚҺқһҰұӘӨҒҮІіөғәҢңү"));
    }
    check(b"\x8d\x9d\xa1\xb1\xd8", "ptcp154", Ok("ҚқЎұШ"));
    assert_eq!(
        Charset::Table(&KZ_1048).encode("Ђ\u{fffd}".to_owned()),
        None
    );
    assert_eq!(Charset::Ascii.encode("é".to_owned()), None);
}

#[test]
fn unsafe_and_unknown_charsets_are_not_read() {
    for label in [
        "utf-7",
        "unicode-1-1-utf-7",
        "ibm037",
        "cp500",
        "ebcdic-us",
        "iso-2022-jp",
        "iso-2022-kr",
        "hz-gb-2312",
        "x-user-defined",
        "replacement",
        "utf-32",
        "utf-32le",
        "cesu-8",
        "scsu",
        "bocu-1",
        "x",
        "",
        "utf8,utf-7",
        "*",
    ] {
        let found = decode(Cow::Borrowed(IIN.as_bytes()), Some(label)).map(|_| ());
        assert_eq!(found, Err(GapKind::UnsupportedCharset), "{label}");
    }
}

/// The tables are one to one where they have a character at all, so what is decoded can be written back.
#[test]
fn tables_lose_nothing() {
    for table in [&KZ_1048, &PTCP_154] {
        for byte in 0..=u8::MAX {
            if let Some(text) = table.decode(&[byte]) {
                assert_eq!(
                    table.encode(&text).as_deref(),
                    Some(&[byte][..]),
                    "{}",
                    table.name
                );
            } else {
                assert_eq!((byte, table.name), (0x98, "kz-1048"));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_under_any_label_are_read_without_loss_or_not_at_all(
        label in prop::sample::select(vec![
            "utf-8", "us-ascii", "utf-16", "utf-16le", "utf-16be", "windows-1251", "windows-1252", "koi8-u", "ibm866", "iso-8859-8",
            "windows-874", "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr", "kz-1048", "ptcp154", "macintosh",
        ]),
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "[\\PC]{0,30}".prop_map(String::into_bytes),
            "\\PC{0,20}".prop_map(|it| it.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ],
    ) {
        if let Ok(text) = decode(Cow::Borrowed(&bytes), Some(label)) {
            let is_replaced = text.text.contains(char::REPLACEMENT_CHARACTER);
            let can_write_it = label.starts_with("utf") || label.starts_with("gb");
            prop_assert!(!is_replaced || can_write_it);
            if !text.has_blanks {
                let text_again = text.charset.encode(text.text.to_string()).map(|again| {
                    decode(Cow::Owned(again), Some(label)).map(|it| it.text.into_owned())
                });
                // Writing may choose other bytes for a character, but never other characters.
                if let Some(Ok(again)) = text_again {
                    prop_assert_eq!(again, text.text.into_owned());
                }
            }
        }
    }

    #[test]
    fn what_a_charset_can_write_it_reads_back(
        (label, charset) in prop::sample::select(vec![
            ("utf-8", Charset::Utf8),
            ("utf-16le", Charset::Utf16Le),
            ("utf-16be", Charset::Utf16Be),
            ("windows-1251", Charset::Legacy(WINDOWS_1251)),
            ("koi8-r", Charset::Legacy(KOI8_R)),
            ("gb18030", Charset::Legacy(GB18030)),
            ("kz-1048", Charset::Table(&KZ_1048)),
        ]),
        text in "[ -~]{1,4}[Ѐ-ӿ]{0,20}",
    ) {
        if let Some(bytes) = charset.encode(text.clone()) {
            match decode(Cow::Owned(bytes), Some(label)) {
                Ok(it) => prop_assert_eq!(&*it.text, &text),
                Err(kind) => prop_assert_eq!(kind, GapKind::Ambiguous),
            }
        }
    }
}
