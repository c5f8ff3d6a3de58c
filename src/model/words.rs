//! Words that answers, reports and messages share.

use std::fmt::Display;

/// `count` and `noun`, which takes an `s` unless there is one.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    let ending = if count == N::from(1) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        let all = [0_u64, 1, 2, 11].map(|it| counted(it, "record"));
        assert_eq!(all, ["0 records", "1 record", "2 records", "11 records"]);
    }
}
