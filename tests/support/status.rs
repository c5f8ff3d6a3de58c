//! The one field of an HTTP/2 answer's head that raw tests read.

/// The status of the first answer on a connection: a field of the static table, or a literal in Huffman's code.
pub(crate) fn status(block: &[u8]) -> u16 {
    const STATIC: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    if let Some(at) = block[0].checked_sub(0x88).filter(|it| *it < 7) {
        return STATIC[usize::from(at)];
    }
    assert_eq!(block[0], 0x48, "a literal `:status`");
    let mut bits = block[2..2 + usize::from(block[1] & 127)]
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    let mut next = |code: u16| code * 2 + bits.next().unwrap();
    let mut status = 0;
    for _ in 0..3 {
        let short = (0..5).fold(0, |code, _| next(code));
        // The codes of 0, 1 and 2 have five bits, those of the other digits six, from 011001 on.
        let digit = if short <= 2 {
            short
        } else {
            next(short) - 0b01_1001 + 3
        };
        status = status * 10 + digit;
    }
    status
}
