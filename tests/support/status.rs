//! The one field of an HTTP/2 answer's head that raw tests read.

/// The status of the first answer on a connection: a field of the static table, or a literal in Huffman's code.
pub(crate) fn status(block: &[u8]) -> u16 {
    const STATIC: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    if let Some(at) = block[0].checked_sub(0x88).filter(|it| *it < 7) {
        return STATIC[usize::from(at)];
    }
    assert_eq!(block[0], 0x48, "a literal `:status`");
    let bits: String = block[2..2 + usize::from(block[1] & 127)]
        .iter()
        .map(|it| format!("{it:08b}"))
        .collect();
    let mut at = 0;
    let mut status = 0;
    for _ in 0..3 {
        let short = u16::from_str_radix(&bits[at..at + 5], 2).unwrap();
        let digit = if short <= 2 {
            at += 5;
            short
        } else {
            at += 6;
            u16::from_str_radix(&bits[at - 6..at], 2).unwrap() - 0b01_1001 + 3
        };
        status = status * 10 + digit;
    }
    status
}
